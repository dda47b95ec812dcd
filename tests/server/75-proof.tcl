# The roots against a verifier that shares no code with the server and reads the files alone.

proc pick {list} { return [lindex $list [expr {int(rand() * [llength $list])}]] }

proc random_vector {dim} {
    set words [list values $dim]
    for {set i 0} {$i < $dim} {incr i} { lappend words [expr {int(rand() * 2001 - 1000) / 100.0}] }
    return $words
}

# One command on few keys and names, so that everything meets everything.
proc random_command {} {
    set key [pick {cosine squares product made floats}]
    set name [pick {a b c d e f g h "" "\0\r\n"}]
    switch -- [pick {add add add add add rem attr tag del create many flush select}] {
        add {
            set options [pick {{} {} {setattr x} {setattr ""} {tag 7} {nx} {xx} {tag 0 setattr y nx}}]
            if {$key eq "floats"} { lappend options noquant }
            return [list vadd $key {*}[random_vector [pick {3 3 3 4}]] $name {*}$options]
        }
        rem { return [list vrem $key $name] }
        attr { return [list vsetattr $key $name [pick {"" note {{"a":1}}}]] }
        tag { return [list vtag $key $name [pick {0 1 18446744073709551615}]] }
        del { return [list [pick {del unlink}] $key [pick {cosine squares nokey}]] }
        create {
            switch -- $key {
                squares { return [list vcreate squares dim 3 metric l2] }
                product { return [list vcreate product dim 3 metric ip capacity 3] }
                default { return [list vcreate made dim 4] }
            }
        }
        many { return [list vmadd $key fp32 [fp32 1 2 [expr {rand()}] -4 5 0] elements 2 $name z tags 1 2] }
        flush { return [pick {{flushdb} {ping} {ping} {vcard cosine} {vcard made}}] }
        select { return [list select [pick {0 0 0 1 15}]] }
    }
}

start_server {enable-debug-command local log-segment-size 64kb} {
    test "G12: after random commands and transactions every root is what verify.py computes" {
        if {[catch {exec python3 --version}]} { skip "no python3" }
        set seed [expr {[clock seconds] % 100000}]
        expr {srand($seed)}
        for {set round 0} {$round < 12} {incr round} {
            for {set i 0} {$i < 60} {incr i} {
                set words [random_command]
                if {rand() < 0.1} {
                    r multi
                    for {set j 0} {$j < 8} {incr j} { catch {r {*}[random_command]} }
                    catch {r exec}
                }
                catch {r {*}$words}
            }
            set state [r proof.state sync]
            set content [r proof.content]
            assert_equal OK [r debug verify]
            set report [verify_log [srv dir] --json --content]
            foreach {name wanted} [list \
                state_root [field $state state_root] log_root [field $state log_root] \
                content_root [field $content content_root]
            ] {
                if {![string match "*\"$name\": \"$wanted\"*" $report]} {
                    complain "seed $seed, round $round: $name is $wanted here, and there:\n$report"
                }
            }
            if {$round % 4 == 3} {
                kill_server
                resume_server
                assert_equal $state [r proof.state]
                assert_equal $content [r proof.content]
            }
        }
    }
}
