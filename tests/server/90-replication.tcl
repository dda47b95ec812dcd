# Replication: a replica has its primary's log byte for byte, proves at every SEAL that it has
# its state, and says so.

proc write_some {from to} {
    for {set i $from} {$i < $to} {incr i} {
        r vadd flat values 4 $i 1 [expr {$i * $i}] -2 e$i setattr "{\"n\":$i}" tag [expr {$i % 3}]
        if {$i % 7 == 0} { r vrem flat e[expr {$i / 2}] }
        r set key$i [string repeat x [expr {$i % 50}]]
        r incr counter
    }
    r multi
    r set a$from 1
    r vadd graph values 3 1 2 $from g$from
    r exec
    r vmadd many fp32 [fp32 1 2 3 4 5 6] elements 3 m$from n$from o$from
}

set options {enable-debug-command local seal-interval-ms 20}

start_server $options {
    start_server $options {
        test "a fresh server follows another, from its first entry" {
            at_server 0 { write_some 0 100 }
            assert_equal OK [follow_server 1 0]
            wait_for_replica 1 0
            at_server 0 { r proof.state sync }
            wait_for_replica 1 0
            assert_same_state 0 1
            assert_equal synced [info_field replica_state]
            assert_equal 0 [info_field replica_lag_entries]
        }
        test "what is written goes on to the replica, SEALs and batches too" {
            foreach round {1 2 3 4 5} {
                at_server 0 [list write_some [expr {$round * 100}] [expr {$round * 100 + 40}]]
                wait_for_replica 1 0
            }
            at_server 0 { r proof.state sync }
            wait_for_replica 1 0
            assert_same_state 0 1
            assert_equal [at_server 0 {r vinfo flat}] [r vinfo flat]
        }
        test "ROLE, INFO and HELLO on both sides" {
            set port [at_server 0 {srv port}]
            set size [at_server 0 {info_field log_entries}]
            assert_equal [list slave 127.0.0.1 $port connected $size] [r role]
            assert_equal [list master $size [list [list 127.0.0.1 [srv port] $size]]] \
                [at_server 0 {r role}]
            assert_equal slave [info_field role]
            assert_equal 127.0.0.1 [info_field master_host]
            assert_equal $port [info_field master_port]
            assert_equal $size [info_field slave_repl_offset]
            assert_match "ip=127.0.0.1,port=[srv port],state=online,offset=$size,lag=*" \
                [at_server 0 {info_field slave0}]
            assert_equal 1 [at_server 0 {info_field connected_slaves}]
            assert_equal [at_server 0 {info_field master_replid}] [info_field master_replid]
            assert_equal 40 [string length [info_field master_replid]]
            assert_equal replica [field [r hello] role]
            # Sentinel takes the lines of a replica only after it has seen what it is.
            set text [r info]
            assert {[string first role: $text] < [string first master_host: $text]}
            assert {[string first role: $text] < [string first slave_priority: $text]}
        }
        test "a replica refuses writes, alone and in transactions" {
            foreach command {{set a 1} {vadd flat values 4 1 2 3 4 x} {flushall} {del flat}} {
                assert_error "READONLY You can't write against a read only replica." {r {*}$command}
            }
            r multi
            assert_error "READONLY *" {r set a 1}
            assert_error "EXECABORT *" {r exec}
            assert_equal OK [r multi]
            assert_equal QUEUED [r get key5]
            assert_equal xxxxx [lindex [r exec] 0]
        }
        test "a replica that is killed goes on where it was" {
            foreach round {1 2 3} {
                at_server 0 { write_some 1000 1020 }
                kill_server
                at_server 0 { write_some 2000 2020 }
                resume_server replicaof "127.0.0.1 [at_server 0 {srv port}]"
                wait_for_replica 1 0
            }
            at_server 0 { r proof.state sync }
            wait_for_replica 1 0
            assert_same_state 0 1
            assert_match "*Following primary 127.0.0.1:* from entry *" [read_file [srv out]]
        }
        test "a primary that is killed is followed again when it is back" {
            set port [at_server 0 {srv port}]
            at_server 0 {
                write_some 3000 3020
                kill_server
            }
            wait_for_condition 500 10 {[info_field master_link_status] eq "down"} { complain "up" }
            assert {[string is digit -strict [info_field master_link_down_since_seconds]]}
            assert {[r exists flat]}
            at_server 0 [list resume_server port $port]
            wait_for_replica 1 0
            at_server 0 { write_some 3100 3120; r proof.state sync }
            wait_for_replica 1 0
            assert_same_state 0 1
        }
        test "with replica-serve-stale-data no, data is refused while the link is down" {
            r config set replica-serve-stale-data no
            assert_equal 1 [r exists flat]
            set port [at_server 0 {srv port}]
            at_server 0 { kill_server }
            wait_for_condition 500 10 {[info_field master_link_status] eq "down"} { complain "up" }
            assert_error "MASTERDOWN Link with MASTER is down*" {r exists flat}
            assert_equal PONG [r ping]
            at_server 0 [list resume_server port $port]
            wait_for_replica 1 0
            assert_equal 1 [r exists flat]
            r config set replica-serve-stale-data yes
        }
        test "DEBUG RELOAD on either side, and the replica follows again" {
            assert_equal OK [r debug reload]
            at_server 0 { assert_equal OK [r debug reload]; write_some 4000 4010 }
            wait_for_replica 1 0
            assert_equal OK [r debug reload]
            at_server 0 { r proof.state sync }
            wait_for_replica 1 0
            assert_same_state 0 1
        }
        test "REPLICAOF NO ONE makes a primary, which seals and writes" {
            assert_equal OK [r replicaof no one]
            assert_equal master [info_field role]
            assert_equal OK [r set mine 1]
            set state [r proof.state sync]
            assert_equal 0 [field $state dirty_ops]
            assert_equal 0 [at_server 0 {r exists mine}]
        }
        test "bad words" {
            assert_error "ERR Invalid master port" {r replicaof 127.0.0.1 0}
            assert_error "ERR Invalid master port" {r replicaof 127.0.0.1 x}
            assert_error "ERR syntax error" {r replicaof 127.0.0.1 1 2}
            assert_error "ERR Invalid master host" {r replicaof [string repeat x 64] 1}
            assert_error "ERR Unrecognized REPLCONF option: rub'bish" {r replconf rub'bish 1}
            assert_error "ERR syntax error" {r replconf capa}
            assert_error "ERR this is valori: only another valori can replicate from it" {r psync ? -1}
            assert_error "ERR the link speaks version 1 only" {r replconf valori 2}
            assert_equal "VALORI 1" [r replconf valori 1]
            assert_error "ERR syntax error" {r psync ? 1 [string repeat 0 64]}
            assert_error "ERR wrong number of arguments for 'psync' command" {r psync ? -1}
            assert_error "FOREIGN this is another log" {r psync [string repeat 0 32] 1 [string repeat 0 64]}
            assert_equal OK [r replconf listening-port 1 capa eof capa psync2]
            assert_equal master [info_field role]
        }
    }
}
