# Lines of text per language, told by the ends of the names; binary files are left out.
# shellcheck shell=bash disable=SC2154
languages='
  c=C h=C/C++ cc=C++ cpp=C++ cxx=C++ hh=C++ hpp=C++ rs=Rust go=Go py=Python rb=Ruby pl=Perl java=Java
  kt=Kotlin swift=Swift cs=C# js=JavaScript mjs=JavaScript ts=TypeScript tsx=TypeScript jsx=JavaScript
  sh=Shell bash=Shell sql=SQL md=Markdown rst=reStructuredText txt=Text html=HTML css=CSS json=JSON
  toml=TOML yaml=YAML yml=YAML xml=XML cmake=CMake lua=Lua php=PHP scala=Scala hs=Haskell ml=OCaml
  ex=Elixir exs=Elixir erl=Erlang zig=Zig nix=Nix tex=TeX'

# A line: "<commit>:<path>", NUL, the count. No line at all is exit code 1.
{ inventory_git grep -I -z -c -e '' "$commit" -- || (($? == 1)); } | tr '\000' '\t' >counts

table=$(awk -F'\t' -v languages="$languages" '
  BEGIN {
    n = split(languages, pair, /[ \n]+/)
    for (i = 1; i <= n; i++) if (split(pair[i], word, "=") == 2) name[word[1]] = word[2]
  }
  NF == 2 {
    path = $1
    sub(/.*\//, "", path)
    sub(/^[^:]*:/, "", path)
    ending = path ~ /.\./ ? tolower(path) : ""
    sub(/.*\./, "", ending)
    language = (ending in name) ? name[ending] : "other"
    if (path == "CMakeLists.txt") language = "CMake"
    if (path ~ /^Makefile/) language = "Make"
    files[language]++
    lines[language] += $2
  }
  END { for (l in files) printf "%9d  %6d  %s\n", lines[l], files[l], l }' counts | sort -k1,1nr -k3)
read -r lines number < <(awk 'NF { l += $1; n++ } END { printf "%.0f %.0f\n", l, n }' <<<"$table")
largest=$(awk 'NR == 1 { print $3 }' <<<"$table")

hermes kanban complete "$HERMES_KANBAN_TASK" \
  --summary "$(counted "$lines" line lines) of text in $(counted "$number" language languages)${largest:+, most of them $largest}" \
  --result $'lines, files, language:\n'"$(awk 'NR <= 10' <<<"$table")" \
  --metadata "{\"lines\":$lines,\"languages\":$number}"
