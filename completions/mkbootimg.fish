# SPDX-License-Identifier: MIT
#
# Completion for fish: what "mkbootimg complete" says.  Goes to
# share/fish/vendor_completions.d.

function __mkbootimg_complete
    set -l before (commandline --tokenize --cut-at-cursor --current-process)
    set -l word (commandline --cut-at-cursor --current-token)
    for line in ($before[1] complete -- $before[2..-1] "$word" 2>/dev/null)
        set -l parts (string split \t -- $line)
        set -l rest (string sub --start (math (string length -- "$parts[2]") + 1) -- "$word")
        switch $parts[1]
            case :files
                complete --do-complete "'' $rest" | string replace --regex '^' -- "$parts[2]"
            case :directories
                __fish_complete_directories $rest "" | string replace --regex '^' -- "$parts[2]"
            case :programs
                __fish_complete_command | string replace --regex '^' -- "$parts[2]"
            case '*'
                echo $line
        end
    end
end

complete --command mkbootimg --no-files --arguments '(__mkbootimg_complete)'
