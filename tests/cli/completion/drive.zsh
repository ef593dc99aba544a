# drive.zsh LINE [SHOWN]: types LINE and a tab into an interactive zsh, waits until SHOWN is on the
# screen; prints the line it has become, then everything that was shown.
zmodload zsh/zpty
export ZDOTDIR=$HOME DUMP=$HOME/dump
cat > $ZDOTDIR/.zshrc <<'RC'
PS1='' RPS1='' COLUMNS=200 LINES=50
autoload -U compinit
compinit -u -D
source <(hermes completion zsh)
setopt no_beep no_list_ambiguous
dump() { print -r -- "$BUFFER" > $DUMP; zle -M DUMP''ED }
zle -N dump
bindkey '^X' dump
bindkey '^I' expand-or-complete
zle-line-init() { zle -M REA''DY }
zle -N zle-line-init
RC
zpty z 'TERM=xterm exec zsh -d -i'
zpty -r -m z seen '*READY*' || exit 1
zpty -w -n z "$1"$'\t'
screen=''
if (( $# > 1 )); then # while input is waiting zsh shows nothing
  zpty -r -m z screen "*${(b)2}*" || exit 1
fi
zpty -w -n z $'\x18'
zpty -r -m z seen '*DUMPED*' || exit 1
print -r -- "$(<$DUMP)"
print -r -- "$screen$seen"
zpty -d z
