# drive.bash TYPE LINE WORD…: completes as bash would, with its words as it cuts them; prints what is
# offered, one per line. TYPE is COMP_TYPE: 9 to insert, 63 to list.
source <(hermes completion bash)
COMP_TYPE=$1
COMP_LINE=$2
COMP_POINT=${#2}
COMP_WORDS=("${@:3}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_hermes
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
