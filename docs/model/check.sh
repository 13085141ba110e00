#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks every property of the models, and that each mutant breaks one: a check that cannot
# fail shows nothing. `check.sh [thorough]`; what a violation looked like is in build/model.
set -u
cd "$(dirname "$0")" || exit 2
source=$PWD
work=$source/../../build/model

for tool in spin gcc; do
	command -v $tool >/dev/null || {
		echo "make model needs $tool: install Debian's package $tool" >&2
		exit 2
	}
done

# model, defines, expected, properties. What a mutant changes is its name; see README.md.
rows() {
	cat <<-EOF
	run   NO_SIGNALS                       holds  no_double_run no_spurious_interrupt every_command_served handshake_ends visitor_gets_in
	kick  VTX                              holds  no_entry_with_pending_kick no_lost_request guest_runs_on
	slots THREE_CHANGES                    holds  no_use_after_free no_stale_slot change_ends
	kick  SVM                              holds  no_entry_with_pending_kick no_lost_request guest_runs_on
	run   NO_VISITORS                      holds  no_double_run no_spurious_interrupt every_command_served handshake_ends
	kick  VTX,CLEAR_LATE                   breaks no_entry_with_pending_kick
	kick  VTX,NMI_FIRST                    breaks no_entry_with_pending_kick
	kick  VTX,NO_WINDOW                    breaks no_entry_with_pending_kick
	kick  VTX,NO_COMPARE                   breaks no_entry_with_pending_kick
	kick  VTX,NO_IRET                      breaks no_lost_request
	kick  VTX,SELF_UNTOLD                  breaks no_entry_with_pending_kick
	kick  VTX,LOOK_UP_FIRST                breaks no_entry_with_pending_kick
	kick  SVM,CLEAR_LATE                   breaks no_entry_with_pending_kick
	kick  SVM,NMI_FIRST                    breaks no_entry_with_pending_kick
	kick  SVM,NO_GIF                       breaks no_entry_with_pending_kick
	kick  SVM,NO_RECHECK                   breaks no_entry_with_pending_kick
	kick  SVM,NO_TAKE                      breaks guest_runs_on
	kick  SVM,NO_WINDOW                    breaks no_entry_with_pending_kick
	run   NO_VISITORS,SEQUENCE_FIRST       breaks no_double_run
	run   NO_VISITORS,NMI_IS_COMMAND       breaks no_double_run
	run   NO_VISITORS,DONE_FIRST           breaks no_double_run
	run   NO_SIGNALS,RETURN_ALWAYS         breaks no_spurious_interrupt
	run   NO_VISITORS,NO_BARRIER_POST      breaks every_command_served
	run   NO_VISITORS,NO_BARRIER_AWAKE     breaks every_command_served
	run   NO_VISITORS,NO_BARRIER_DONE      breaks handshake_ends
	run   NO_VISITORS,NO_BARRIER_WATCHING  breaks handshake_ends
	run   NO_VISITORS,LOOK_THEN_QUEUE      breaks handshake_ends
	run   NO_VISITORS,SLEEP_BLINDLY        breaks every_command_served
	run   NO_VISITORS,LOSE_RING            breaks handshake_ends
	run   NO_SIGNALS,NO_VISITOR_CHECK      breaks visitor_gets_in
	slots FINISH_FIRST                     breaks no_use_after_free
	slots NO_BARRIER_SLOTS                 breaks no_use_after_free
	slots NO_WAIT                          breaks no_use_after_free
	slots NO_WAIT,CHANGES=4                breaks no_stale_slot
	slots SLEEP_FIRST                      breaks change_ends
	mirror TIMES=1                         holds  nothing_gone_is_reached taking_ends
	mirror ANNOUNCE_FIRST                  breaks nothing_gone_is_reached
	mirror NO_KICK                         breaks taking_ends
	mirror NO_WAIT                         breaks nothing_gone_is_reached
	mirror NO_RETRY                        breaks nothing_gone_is_reached
	mirror NO_FLUSH                        breaks nothing_gone_is_reached
	mirror NO_MACHINE_LOCK                 breaks nothing_gone_is_reached
	bypass MESSAGES=3                      holds  nothing_astray direct_if_it_can_be every_interrupt_ends
	bypass NO_MASK                         breaks nothing_astray
	bypass NO_FLUSH                        breaks nothing_astray
	bypass DECIDE_FIRST                    breaks nothing_astray
	bypass STRIKE_LATE                     breaks nothing_astray
	bypass DRAIN_FIRST                     breaks nothing_astray
	bypass FREE_FIRST                      breaks nothing_astray
	bypass NO_INTERRUPT_LOCK               breaks nothing_astray
	bypass FORGET_PENDING                  breaks every_interrupt_ends
	bypass FORGET_BIND                     breaks direct_if_it_can_be
	EOF
	[ "$1" != thorough ] || cat <<-EOF
	run   SIGNALS_AND_VISITORS             holds  no_double_run no_spurious_interrupt every_command_served handshake_ends visitor_gets_in
	slots CHANGES=4                        holds  no_use_after_free no_stale_slot change_ends
	mirror TIMES=2                         holds  nothing_gone_is_reached taking_ends
	EOF
}

# Liveness is checked under weak fairness: a process that could always go on does so some time.
flags() {
	case $1 in
	no_lost_request | guest_runs_on | handshake_ends | visitor_gets_in | every_command_served | change_ends | every_interrupt_ends | taking_ends) echo -f ;;
	esac
}

# One line of rows(): its properties, one line each. Fails if one is not as expected.
check() {
	model=$1 defines=$2 expected=$3
	shift 3
	name=$model-$(echo "$defines" | tr ',=' '--')
	rm -rf "$work/$name" && mkdir -p "$work/$name" && cd "$work/$name" || return 1
	cp "$source"/*.pml .
	options=$(echo "-D$defines" | sed 's/,/ -D/g')
	# shellcheck disable=SC2086 # options are words
	if ! spin $options -a "$model.pml" >log 2>&1 || ! gcc -O1 -w -DNFAIR=3 -o pan pan.c >>log 2>&1; then
		echo "FAILED    $name: the model does not build" && cat log
		return 1
	fi
	status=0
	for property; do
		# shellcheck disable=SC2046
		./pan -a $(flags "$property") -m4000000 -w22 -N "$property" >"$property.log" 2>&1
		states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$property.log")
		time=$(sed -n 's/^pan: elapsed time \([0-9.e+-]*\) seconds/\1/p' "$property.log")
		found=unfinished
		if grep -q 'errors: 0$' "$property.log" && ! grep -Eq 'too small|out of memory|truncated' "$property.log"; then
			found=holds
		elif grep -Eq 'acceptance cycle|assertion violated +!\(' "$property.log"; then
			found=breaks
		fi
		case $found in
		holds) verdict=ok ;;
		breaks) verdict=violated ;;
		*) verdict=unfinished ;;
		esac
		note=
		[ $expected = holds ] || note=", as it has to be"
		if [ $found != $expected ]; then
			status=1
			note=", expected: $expected"
			# shellcheck disable=SC2086
			[ $found != breaks ] || spin $options -t -p -g "$model.pml" >"$property.trace" 2>&1
			[ $found != breaks ] || note="$note; see build/model/$name/$property.trace"
		fi
		printf '%-5s  %-30s  %-26s  %s%s; %s states, %s s\n' "$model" "$defines" "$property" \
			"$verdict" "$note" "${states:-?}" "${time:-?}"
	done
	rm -f pan pan.*
	return $status
}

if [ "${1:-}" = row ]; then
	shift
	check "$@"
	exit
fi
rm -rf "$work"
rows "${1:-}" | xargs -P "${JOBS:-2}" -L 1 ./check.sh row || {
	echo "make model: not every property is as expected" >&2
	exit 1
}
