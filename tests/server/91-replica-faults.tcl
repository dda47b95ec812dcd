# What a replica does when its history is not the primary's: divergence, forks, other logs.

proc write_some {from to} {
    for {set i $from} {$i < $to} {incr i} { r vadd k values 3 $i 1 2 e$i; r set s$i $i }
}

set options {enable-debug-command local seal-interval-ms 20}

proc wait_for_divergence {} {
    wait_for_condition 500 10 {[info_field replica_state] eq "diverged"} {
        complain "not diverged:\n[r info replication]"
    }
}

start_server $options {
    start_server $options {
        test "G15: a state that differs is found at the next SEAL, and data is refused" {
            at_server 0 { write_some 0 50 }
            follow_server 1 0
            wait_for_replica 1 0
            set equal [info_field replica_compared_entries]
            assert_equal OK [r debug diverge phantom]
            assert_equal diverged [r get phantom]
            set seals [at_server 0 {info_field log_seals}]
            at_server 0 { r set one 1; r proof.state sync }
            wait_for_divergence
            set at [info_field replica_diverged_sequence]
            assert {$at > $equal}
            foreach command {{get s1} {vcard k} {dbsize} {proof.state} {vsim k ele e1}} {
                assert_error "DIVERGED replica state differs from primary at sequence $at" {r {*}$command}
            }
            assert_equal PONG [r ping]
            assert_equal 0 [info_field slave_priority]
            assert_equal down [info_field master_link_status]
            assert_error "DIVERGED a replica whose state differs cannot become a primary" {r replicaof no one}
            assert_equal slave [info_field role]
        }
        test "G15: the evidence has both roots and the entries since the last equal SEAL" {
            set text [read_file [glob -directory [srv dir] diverged-$at-*.txt]]
            assert_match "*what differs: state roots*own: *primary: *" $text
            regexp {own: (\w+)\nprimary: (\w+)} $text -> own theirs
            assert {[string length $own] == 64 && $own ne $theirs}
            set bytes [read_file [glob -directory [srv dir] diverged-$at-*.vlog]]
            assert_equal VALORILG [string range $bytes 0 7]
            assert {[string first VFRM $bytes] == 512}
        }
        test "G15: a start computes the state anew, and follows" {
            restart_server replicaof "127.0.0.1 [at_server 0 {srv port}]"
            wait_for_replica 1 0
            at_server 0 { r proof.state sync }
            wait_for_replica 1 0
            assert_same_state 0 1
            assert_equal (nil) [r get phantom]
            file delete {*}[glob -directory [srv dir] diverged-*]
        }
        test "G15: an entry that only the primary's state allows is a divergence too" {
            r debug diverge phantom
            at_server 0 { r setnx phantom 1 }
            wait_for_divergence
            restart_server
            wait_for_replica 1 0
            assert_equal 1 [r get phantom]
        }
        test "G15: with replica-repair the log is set aside and fetched anew" {
            r config set replica-repair yes
            r debug diverge other
            at_server 0 { r save }
            at_server 0 { r set two 2; r proof.state sync }
            wait_for_condition 500 10 {[info_field replica_repairs] == 1} { complain "no repair" }
            wait_for_replica 1 0
            at_server 0 { r proof.state sync }
            wait_for_replica 1 0
            assert_same_state 0 1
            assert_equal (nil) [r get other]
            assert {[llength [glob -directory [srv dir] quarantine-*-valori-*.log]] >= 1}
            r config set replica-repair no
        }
        test "G17: entries of a primary that was replaced are kept in a file, and it follows" {
            r replicaof no one
            at_server 0 { write_some 100 110; r save; write_some 110 120; r set lost 1 }
            set fork [info_field log_entries]
            write_some 200 210
            at_server 0 {
                set before [info_field log_entries]
                r config set seal-interval-ms 60000
            }
            follow_server 0 1
            wait_for_replica 0 1
            at_server 0 {
                assert_equal 1 [info_field forks_saved]
                assert {[info_field fork_entries_saved] >= 40}
                assert_equal [list 0 (nil)] [list [r exists lost] [r get lost]]
                set kept [glob -directory [srv dir] fork-*.vlog]
                assert {[string first lost [read_file $kept]] > 0}
                assert_equal [expr {$before - [info_field fork_entries_saved]}] \
                    [lindex [split [file tail $kept] -] 1]
                assert_error "READONLY *" {r set a 1}
            }
            r proof.state sync
            wait_for_replica 0 1
            assert_same_state 1 0
        }
        test "G17: back again, with forks on the other side" {
            at_server 0 { r replicaof no one; write_some 300 310 }
            write_some 400 430
            follow_server 1 0
            wait_for_replica 1 0
            at_server 0 { r proof.state sync }
            wait_for_replica 1 0
            assert_same_state 0 1
            assert_equal 1 [llength [glob -directory [srv dir] fork-*.vlog]]
            restart_server replicaof "127.0.0.1 [at_server 0 {srv port}]"
            wait_for_replica 1 0
            assert_same_state 0 1
        }
        test "G17: who waits for a write is told that nobody knows, when the primary is demoted" {
            r replicaof no one
            r config set min-replicas-durable 1
            at_server 0 { r replicaof 127.0.0.1 [at_server 0 {srv port}] }
            set port [srv port]
            at_server 0 [list r replicaof 127.0.0.1 $port]
            wait_for_replica 0 1
            set writer [client_open [srv port]]
            $writer send set waits 1
            assert_equal OK [$writer read]
            exec kill -STOP [at_server 0 {srv pid}]
            $writer send set waits 2
            assert {[$writer waits 50]}
            assert_equal OK [r replicaof 127.0.0.1 1]
            assert_error "UNBLOCKED force unblock*" {$writer read}
            assert {[$writer eof]}
            exec kill -CONT [at_server 0 {srv pid}]
            r replicaof no one
            r config set min-replicas-durable 0
        }
        start_server $options {
            test "G17: another log is refused, unless FORCE says so" {
                write_some 0 3
                r save
                follow_server 2 1
                wait_for_condition 500 10 {[string match "*another log*" [info_field replica_link_error]]} {
                    complain [r info replication]
                }
                assert_equal 6 [expr {[r dbsize] + 2}]
                follow_server 2 1 force
                wait_for_replica 2 1
                assert_same_state 1 2
                assert {[llength [glob -directory [srv dir] quarantine-*-valori-*.log]] >= 1}
            }
        }
    }
}

# A Redis, played by the test: it knows no REPLCONF VALORI.
start_server $options {
    test "a Redis is refused as a primary, in words" {
        set redis [socket -server {apply {{channel address port} {
            fconfigure $channel -translation binary -blocking 0 -buffering none
            fileevent $channel readable [list apply {{channel} {
                set bytes [read $channel]
                if {[eof $channel]} { close $channel; return }
                if {[string match *PING* $bytes]} { puts -nonewline $channel "+PONG\r\n" }
                if {[string match *VALORI* $bytes]} {
                    puts -nonewline $channel "-ERR Unrecognized REPLCONF option: VALORI\r\n"
                }
            }} $channel]
        }}} -myaddr 127.0.0.1 0]
        r replicaof 127.0.0.1 [lindex [fconfigure $redis -sockname] 2]
        for {set i 0} {$i < 100 && ![string match "*no valori*" [info_field replica_link_error]]} {incr i} {
            after 20 {set tick 1}
            vwait tick
        }
        assert_equal "it is no valori: a Redis cannot be followed" [info_field replica_link_error]
        assert_equal down [info_field master_link_status]
        close $redis
    }
    test "a primary that nobody is, and one that says nothing" {
        r replicaof 127.0.0.1 1
        wait_for_condition 200 10 {[info_field replica_link_error] ne ""} { complain "no reason" }
        assert_match "*cannot connect*" "[info_field replica_link_error] cannot connect"
        r config set repl-timeout 1
        set silent [socket -server {apply {args {}}} -myaddr 127.0.0.1 0]
        r replicaof 127.0.0.1 [lindex [fconfigure $silent -sockname] 2]
        wait_for_condition 300 10 {[info_field replica_link_error] eq "the primary is silent"} {
            complain [r info replication]
        }
        close $silent
    }
}
