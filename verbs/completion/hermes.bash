# shellcheck shell=bash
# Completion of hermes for bash. For this shell: source <(hermes completion bash)
_hermes() {
  local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} word current i
  local words=()
  # COMP_WORDS is also cut at '=' and ':'; what no blank separates belongs together.
  for ((i = 0; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
      words+=("$word")
    else
      words[-1]+=$word
    fi
    line=${line#*"$word"}
  done
  current=${line#"${line%%[![:space:]]*}"}
  if [[ $current == "$line" && ${#words[@]} -gt 1 ]]; then
    current=${words[-1]}$line
    unset 'words[-1]'
  fi
  local cut='' breaks=${COMP_WORDBREAKS//[^=:]/}
  if [[ -n $breaks && $current =~ ^.*[$breaks] ]]; then
    cut=${BASH_REMATCH[0]} # readline replaces only what comes after it
  fi
  words=("${words[@]//[\\\"\']/}")
  local plain=${current//[\\\"\']/}

  local answer=()
  mapfile -t answer < <(command hermes __complete -- "${words[@]:1}" "$plain" 2>/dev/null)
  COMPREPLY=()
  if [[ ${answer[0]} == :files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "${plain#"$cut"}")
    return
  fi
  local value longest=0 values=() descriptions=()
  for line in "${answer[@]:1}"; do
    value=${line%%$'\t'*}
    value=${value#"$cut"}
    printf -v value %q "$value"
    values+=("$value")
    descriptions+=("${line#*$'\t'}")
    ((${#value} > longest)) && longest=${#value}
  done
  # Descriptions only where candidates are listed, never where one may be inserted.
  if ((${#values[@]} > 1)) && [[ $COMP_TYPE == 33 || $COMP_TYPE == 63 || $COMP_TYPE == 64 ]]; then
    for i in "${!values[@]}"; do
      if [[ -n ${descriptions[i]} ]]; then
        printf -v 'values[i]' '%-*s  (%s)' "$longest" "${values[i]}" "${descriptions[i]}"
      fi
    done
  fi
  COMPREPLY=("${values[@]}")
}
complete -o nosort -F _hermes hermes
