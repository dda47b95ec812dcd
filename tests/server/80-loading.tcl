# While the log is read: who is answered, and what the others are told.

set faults [new_directory]
if {[fault_library] ne ""} {
    start_server [dict merge [with_faults $faults] {log-segment-size 64kb}] {
        r vcreate k dim 8 index flat
        for {set i 0} {$i < 2000} {incr i} { r vadd k values 8 $i 1 2 3 4 5 6 7 e$i setattr [string repeat x 100] }
        set state [r proof.state sync]
        kill_server
        test "G28: LOADING for data, answers for PING and INFO" {
            fault $faults slow-read 20
            server_launch 0
            assert_equal PONG [r ping]
            assert_equal 1 [info_field loading]
            foreach name {loading_total_bytes loading_loaded_bytes loading_loaded_perc loading_eta_seconds} {
                if {[info_field $name] eq ""} { complain "no $name" }
            }
            # In one go, so that all of them are looked at in the same turn.
            set refused {{vcard k} {vadd k values 1 1 e} {dbsize} {proof.state} {flushall} {exec} {type k}}
            set answered {{hello 2} {client id} {command count} {config get port} {select 0} {echo x} {info}}
            set c [client_open [srv port]]
            set bytes ""
            foreach words [concat $refused $answered] { append bytes [client_encode $words] }
            $c raw $bytes
            foreach words $refused {
                assert_error "LOADING valori is loading the dataset in memory" {$c read}
            }
            foreach words $answered { $c read }
            $c close
            no_fault $faults slow-read
            wait_for_condition 1000 10 {[info_field loading] == 0} { complain "it loads for ever" }
            assert_equal "" [info_field loading_eta_seconds]
            assert_equal 2000 [r vcard k]
            assert_equal $state [r proof.state]
            assert {[info_field recovery_entries] >= 2000}
            assert_match "*Ready to accept connections*" [read_file [srv out]]
        }
        test "G13: killed while it loads, it loads again" {
            for {set i 0} {$i < 3} {incr i} {
                kill_server
                fault $faults slow-read 20
                server_launch 0
                r ping
                for {set j 0} {$j < 100 * $i} {incr j} { r ping } ;# somewhere else each time
            }
            kill_server
            no_fault $faults slow-read
            server_launch
            assert_equal $state [r proof.state]
        }
        test "G27: SIGTERM while it loads ends it, and nothing is changed" {
            kill_server
            fault $faults slow-read 20
            server_launch 0
            r ping
            lassign [stop_server] code
            assert_equal 0 $code
            no_fault $faults slow-read
            server_launch
            assert_equal $state [r proof.state]
        }
    }
} else {
    test "loading" { skip "no C compiler for the fault library" }
}
