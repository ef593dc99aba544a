# Completion of hermes for fish. For this shell: hermes completion fish | source
function __hermes_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (command hermes __complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$answer[1]" = :files
        set -l before (string match -r -- '^--[^=]*=' "$current")
        for path in (__fish_complete_path (string replace -- "$before" '' "$current"))
            echo -- "$before$path"
        end
    else if set -q answer[2]
        printf '%s\n' $answer[2..-1]
    end
end
complete -c hermes -k -f -a '(__hermes_complete)'
