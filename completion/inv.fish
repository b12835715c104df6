# Completion of ./inv:  source completion/inv.fish
function __inv_words
    set -l words (commandline -opc) (commandline -ct)
    set -l top (dirname -- (command -s -- $words[1]; or echo $words[1]))
    # Not through ./inv itself: completing must install nothing.
    test -x $top/.venv/bin/python; or return
    pushd $top
    .venv/bin/python -I tasks/start.py --complete -- inv $words[2..-1] 2>/dev/null
    popd
end
complete -c inv -f -a '(__inv_words)'
