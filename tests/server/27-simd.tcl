# The same history at every level of instructions: the same root, the same graph, the same answers,
# also where a server goes on at another level than it began with.

# Some near others, some at the ends of what codes hold, lengths that fill no register.
proc any_vector {dim metric} {
    set words [list values $dim]
    set kind [expr {int(rand() * 8)}]
    set centre [expr {int(rand() * 40)}]
    for {set i 0} {$i < $dim} {incr i} {
        set near [expr {($centre * 7919 + $i * 104729) % 200 + int(rand() * 50)}]
        switch -- $kind {
            0 { lappend words [expr {rand() < 0.5 ? -32767.5 : 32767.5}] }
            1 { lappend words [expr {int(rand() * 20001 - 10000) / 1000.0}] }
            2 { lappend words [expr {$near - 125}] }
            default { lappend words [expr {$metric eq "l2" ? $near : ($near - 125) / 128.0}] }
        }
    }
    return $words
}

set collections {cosine 70 l2 33 ip 129}

# Reads the replies as well: what is refused is part of the history.
proc perform {commands} {
    foreach command $commands { lappend replies [catch {r {*}$command} reply] $reply }
    return $replies
}

proc changes {count keep} {
    foreach {metric dim} $::collections {
        for {set i 0} {$i < $count} {incr i} {
            set name e[expr {int(rand() * 300)}]
            if {rand() < $keep} {
                lappend commands [list vadd $metric {*}[any_vector $dim $metric] $name]
            } else {
                lappend commands [list vrem $metric $name]
            }
        }
    }
    return $commands
}

# Everything that may be seen of the graphs: root, links of all, answers of walks.
proc everything {queries} {
    set seen [list [field [r proof.state sync] state_root]]
    foreach {metric dim} $::collections {
        for {set i 0} {$i < 300} {incr i} { lappend seen [r vlinks $metric e$i withscores] }
        foreach query [dict get $queries $metric] {
            lappend seen [r vsearch $metric k 10 {*}$query ef 16 withscores] \
                [r vsearch $metric k 10 {*}$query exact withscores]
        }
    }
    return $seen
}

unset -nocomplain first queries ;# other scenarios have variables of these names
expr {srand(27)}
set histories {}
foreach {metric dim} $collections { lappend histories [list vcreate $metric dim $dim metric $metric index hnsw m 5 ef 20] }
lappend histories {*}[changes 400 0.9] {*}[changes 250 0.1] {*}[changes 150 0.8]
foreach {metric dim} $collections {
    for {set i 0} {$i < 15} {incr i} { dict lappend queries $metric [any_vector $dim $metric] }
}

set levels {}
foreach level {portable sse4.1 avx2 avx512 neon} {
    lassign [run_server [list simd $level dir /nowhere]] code message
    if {![string match "*this processor does not have it*" $message]} { lappend levels $level }
}

foreach level $levels next [lrange $levels 1 end] {
    if {$next eq ""} { set next portable }
    start_server [list simd $level appendfsync no] {
        test "simd $level, then $next: the roots, links and answers are those of portable code" {
            assert_equal $level [info_field simd]
            set replies [perform [lrange $histories 0 end-200]]
            restart_server simd $next
            assert_equal $next [info_field simd]
            lappend replies {*}[perform [lrange $histories end-199 end]]
            set seen [everything $queries]
            if {![info exists first]} {
                set first [list $replies $seen]
                assert {[field [r vinfo l2] max-level] >= 1}
                assert {[llength [lsearch -all -exact $replies 0]] > 1000}
            }
            assert_equal [lindex $first 0] $replies
            foreach one [lindex $first 1] other $seen { assert_equal $one $other }
        }
    }
}
