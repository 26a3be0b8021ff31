#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Completion: what "mkbootimg complete" says, and that bash, zsh and fish, on a
# terminal, make that of a line when the tab key is hit.
. "$(dirname "$0")/../lib.sh"

# offers NAME WORD... : what there is, line by line, is in ./wanted.
offers() {
	local name=$1
	shift
	try "$name" 0 "$MKBOOTIMG" complete -- "$@"
	cut -f1 out >got
	if diff wanted got >differences; then pass "$name: these"; else fail "$name: these" differences; fi
}

# ---- What the program says ------------------------------------------------------

"$MKBOOTIMG" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p' >commands
cp commands wanted
offers "all commands" ""
offers "all commands, behind an option" --no-config ""
offers "all commands, to help" help ""
echo run >wanted
offers "a command begun" ru
: >wanted
offers "none of that name" xyz
offers "nothing behind an unknown command" xyz ""
offers "one kernel, no more" build k.elf ""

# All that --help lists, of each command, and nothing else.
while read -r command; do
	"$MKBOOTIMG" "$command" --help |
		sed -nE 'h; s/^  (-[^ ]), --.*/\1/p; g; s/^ +(-., )?--([a-z-]+)(=)?.*/--\2\3/p' | sort >wanted.options
	"$MKBOOTIMG" complete -- "$command" - | cut -f1 | sort >got
	if diff wanted.options got >differences && [ -s got ]; then
		pass "$command: all options of --help"
	else
		fail "$command: all options of --help" differences
	fi
done <commands
printf '%s\n' --protocol= >wanted
offers "an option begun" build --prot
echo :files >wanted
offers "no option behind the kernel: that is QEMU's" run k.elf --prot
offers "no option behind --" build -- --prot

# Words: each that is offered is accepted, and there are those that --help has.
cp "$KERNELS/ends.elf" k.elf
"$MKBOOTIMG" complete -- run - | cut -f1 | grep -- '=$' >options
while read -r option; do
	"$MKBOOTIMG" complete -- run "$option" >values
	grep -q '^:' values && continue
	while read -r value; do
		"$MKBOOTIMG" run --dry-run --headless "$value" k.elf >out 2>err </dev/null
		has_not "run $value: accepted" err "is none of"
	done <values
done <options
printf '%s\n' --accel=auto --accel=tcg --accel=kvm >wanted
offers "values behind =" run --accel=
printf '%s\n' auto tcg kvm >wanted
offers "values in a word of their own" run --accel ""
echo tcg >wanted
offers "a value begun" run --accel t
echo "sse,map_physical_memory" >wanted
offers "one more of a list" build --features sse,m
printf '%s\n' c asm rust >wanted
offers "languages" new --lang ""
echo :files >wanted
offers "kernels" build ""
offers "images" inspect ""
offers "modules" build -m ""
offers "QEMU's arguments" run k.elf ""
echo :directories >wanted
offers "directories" new ""
offers "a loader's" build --bootloader ""
echo :programs >wanted
offers "programs" run --qemu ""
try "no word" 2 "$MKBOOTIMG" complete

# ---- What shells make of it -----------------------------------------------------

# What the shell runs, but for questions, writes down how it was called.
mkdir bin work work/src
cat >bin/mkbootimg <<END
#!/bin/sh
[ "\$1" = complete ] && exec "$MKBOOTIMG" "\$@"
printf '<%s>' "\$@" >>"$PWD/calls"
echo >>"$PWD/calls"
END
chmod +x bin/mkbootimg
touch work/kernel.elf work/initrd.img "work/a kernel"

# A line as it is typed, and what the shell is to run.
cat >lines <<'END'
mkbootimg bui\tker\t|<build><kernel.elf>
mkbootimg inspect --proto\tmultiboot1 ker\t|<inspect><--protocol=multiboot1><kernel.elf>
mkbootimg build --protocol=pv\t ker\t|<build><--protocol=pvh><kernel.elf>
mkbootimg build --protocol nat\tker\t|<build><--protocol><native><kernel.elf>
mkbootimg build --output=ker\t|<build><--output=kernel.elf>
mkbootimg build -oker\t|<build><-okernel.elf>
mkbootimg build -m ini\tker\t|<build><-m><initrd.img><kernel.elf>
mkbootimg run --acc\tkv\tker\t|<run><--accel=kvm><kernel.elf>
mkbootimg run a\ k\t|<run><a kernel>
mkbootimg new --lang ru\tsr\t|<new><--lang><rust><src>
mkbootimg help ins\t|<help><inspect>
END

# types SHELL COMMAND...: with a file of its own for the shell to start with.
types() {
	local shell=$1 keys want
	shift
	: >calls
	{
		cut -d'|' -f1 lines
		echo "exit"
	} >keys
	PATH=$PWD/bin:$PATH HOME=$PWD XDG_CONFIG_HOME=$PWD/config TERM=dumb \
		timeout 120 env -C work "$ROOT/tests/typist.py" "$@" <keys >screen 2>&1
	sed -i 's,/>,>,' calls		# some shells take the slash away again
	while IFS='|' read -r keys want; do
		if grep -qxF -- "$want" calls; then
			pass "$shell: $keys"
		else
			fail "$shell: $keys: not $want" calls screen
		fi
	done <lines
}

if command -v python3 >/dev/null; then
	cat >bashrc <<END
. "$ROOT/completions/mkbootimg"
PS1='READY> '
bind 'set enable-bracketed-paste off' 'set bell-style none'
END
	types bash bash --noprofile --rcfile "$PWD/bashrc" -i
	if command -v zsh >/dev/null; then
		mkdir zsh
		cat >zsh/.zshrc <<END
fpath=("$ROOT/completions" \$fpath)
autoload -Uz compinit && compinit -u -d "$PWD/zcompdump"
PROMPT='READY> '
unsetopt zle_bracketed_paste prompt_cr prompt_sp 2>/dev/null
END
		ZDOTDIR=$PWD/zsh types zsh zsh -d -i
	else
		may_skip "zsh" "zsh is not installed"
	fi
	if command -v fish >/dev/null; then
		mkdir -p config/fish
		cat >config/fish/config.fish <<END
source "$ROOT/completions/mkbootimg.fish"
function fish_prompt; echo -n 'READY> '; end
set -U fish_greeting
END
		types fish fish -i
	else
		may_skip "fish" "fish is not installed"
	fi
else
	skip "shells" "python3 is not installed"
fi

done_testing
