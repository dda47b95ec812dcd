# What is acknowledged when: WAIT, WAITAOF, min-replicas-to-write and min-replicas-durable.

set options {enable-debug-command local seal-interval-ms 50}
set faults [new_directory]
if {[fault_library] eq ""} {
    test "G19: WAIT" { skip "no C compiler for the fault library" }
    return
}

start_server $options {
    test "WAIT and WAITAOF without replicas" {
        r set a 1
        assert_equal 0 [r wait 0 0]
        assert_equal 0 [r wait 1 30]
        assert_equal {1 0} [r waitaof 1 0 0]
        assert_equal {1 0} [r waitaof 1 1 30]
        assert_error "ERR timeout is negative" {r wait 1 -1}
        assert_error "ERR timeout is not an integer or out of range" {r wait 1 x}
        assert_error "ERR value is out of range, must be positive" {r wait -1 0}
        assert_error "ERR value is out of range, value must between 0 and 1" {r waitaof 2 0 0}
    }
    start_server [dict merge [with_faults $faults] $options] {
        follow_server 1 0
        wait_for_replica 1 0
        test "G19: WAIT counts a replica when it has synced, not before" {
            fault $faults slow-sync 150
            at_server 0 {
                r set b 1
                assert_equal 0 [r wait 1 20]
                r set b 2
                assert_equal 1 [r wait 1 5000]
                assert_equal {1 1} [r waitaof 1 1 5000]
            }
            no_fault $faults slow-sync
            assert {[info_field log_durable] >= 2}
            assert_error "ERR WAIT cannot be used with replica instances*" {r wait 1 10}
        }
        test "WAIT in a transaction does not wait; CLIENT UNBLOCK ends one" {
            at_server 0 {
                r multi
                r set c 1
                r wait 1 0
                assert_match {OK [01]} [r exec]
                set c [client_open [srv port]]
                set id [$c client id]
                $c set d 1
                $c send wait 7 0
                wait_for_command $id wait
                assert_equal 1 [info_field blocked_clients]
                assert_equal 1 [r client unblock $id]
                assert_match {[01]} [$c read]
                $c send wait 7 0
                wait_for_command $id wait
                assert_equal 1 [r client unblock $id error]
                assert_error "UNBLOCKED client unblocked via CLIENT UNBLOCK" {$c read}
                $c send wait 7 0
                $c send ping
                wait_for_command $id wait
                $c close
                assert_equal PONG [r ping]
            }
        }
        test "G19: with min-replicas-durable no reply leaves before the replica has synced" {
            at_server 0 { r config set min-replicas-durable 1; r set e 0 }
            fault $faults slow-sync 200
            at_server 0 {
                set writer [client_open [srv port]]
                set reader [client_open [srv port]]
                $writer send set e 1
                wait_for_condition 100 5 {[$writer waits 1]} {}
                $reader send get e
                assert {[$reader waits 40]}
                assert_equal OK [$writer read]
                assert_equal 1 [$reader read]
            }
            no_fault $faults slow-sync
            assert_equal 1 [r get e]
        }
        test "G19: without the replica writes are refused, and those under way wait for it" {
            exec kill -STOP [srv pid]
            at_server 0 {
                $writer send set e 2
                assert {[$writer waits 100]}
            }
            exec kill -CONT [srv pid]
            assert_equal OK [at_server 0 {$writer read}]
            kill_server
            at_server 0 {
                wait_for_condition 500 10 {[info_field connected_slaves] == 0} { complain "connected" }
                assert_error "NOREPLICAS Not enough good replicas to write." {r set e 3}
                assert_equal 2 [r get e]
                assert_equal PONG [r ping]
            }
            resume_server replicaof "127.0.0.1 [at_server 0 {srv port}]"
            wait_for_replica 1 0
            assert_equal OK [at_server 0 {r set e 3}]
            at_server 0 { r config set min-replicas-durable 0 }
        }
        test "min-replicas-to-write" {
            at_server 0 {
                r config set min-replicas-to-write 2
                assert_error "NOREPLICAS *" {r set f 1}
                r multi
                assert_error "NOREPLICAS *" {r set f 1}
                assert_error "EXECABORT *" {r exec}
                assert_equal 1 [info_field min_slaves_good_slaves]
                r config set min-replicas-to-write 1
                assert_equal OK [r set f 1]
                r config set min-replicas-to-write 0
            }
        }
    }
}
