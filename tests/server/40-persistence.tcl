# What survives: crashes, policies, the disk that is slow or fails, and what is told to whom.

proc fill {key count} {
    for {set i 0} {$i < $count} {incr i} { r vadd $key values 4 $i [expr {$i % 7}] 1 -2 e$i tag $i setattr a$i }
}

foreach policy {always everysec no} {
    start_server [list appendfsync $policy enable-debug-command local] {
        test "G3: kill -9 loses nothing that was acknowledged ($policy)" {
            fill k 300
            r vrem k e5
            r vcreate l dim 2 metric l2
            r vadd l values 2 1.5 -2.25 x
            set state [r proof.state sync]
            set content [r proof.content]
            set answer [r vsim k ele e77 withscores withattribs count 20]
            kill_server
            resume_server
            assert_equal $state [r proof.state]
            assert_equal $content [r proof.content]
            assert_equal $answer [r vsim k ele e77 withscores withattribs count 20]
            assert_equal OK [r debug verify]
        }
        test "G13: starting again changes nothing ($policy)" {
            set state [r proof.state]
            restart_server
            assert_equal $state [r proof.state]
            restart_server
            assert_equal $state [r proof.state]
        }
        test "and writes go on after it ($policy)" {
            assert_equal 1 [r vadd k values 4 1 2 3 4 after]
            assert_equal 300 [r vcard k]
        }
    }
}

start_server {} {
    test "G1: killed in the middle of a pipelined load, every answered write is there" {
        for {set round 0} {$round < 5} {incr round} {
            r vcreate load$round dim 2 index flat ;# verify.py follows a graph slowly
            set c [client_open [srv port]]
            set bytes ""
            for {set i 0} {$i < 2000} {incr i} { append bytes [client_encode [list vadd load$round values 2 $i 1 e$i]] }
            $c raw $bytes
            set answered 0
            while {$answered < 150 * ($round + 1)} { assert_equal 1 [$c read]; incr answered }
            exec kill -KILL [srv pid]
            while {![catch {$c read} value] && $value == 1} { incr answered }
            $c close
            drop_client
            server_reap
            resume_server
            for {set i 0} {$i < $answered} {incr i} {
                if {![r vismember load$round e$i]} { complain "e$i of $answered was answered and is gone" }
            }
        }
    }
    test "equal commands give equal content roots, whatever the log looks like" {
        fill k 50
        r del k
        fill k 50
        r flushall
        fill k 50
        set content [r proof.content]
        start_server {appendonly no} {
            fill k 50
            assert_equal $content [r proof.content]
        }
    }
}

start_server {appendonly no} {
    test "appendonly no: all commands, nothing on disk, said plainly" {
        fill k 20
        assert_equal 20 [r vcard k]
        assert_equal 0 [info_field aof_enabled]
        assert_equal {} [glob -nocomplain [file join [srv dir] *.{log,head}]]
        assert_match "*nothing is kept on disk*" [read_file [srv out]]
        r proof.state sync
        restart_server
        assert_equal 0 [r dbsize]
    }
}

start_server {} {
    r vadd k values 1 1 e
    stop_server
    test "G9: appendonly no does not start over an existing log" {
        lassign [run_server [list dir [srv dir] appendonly no]] code err
        assert {$code != 0}
        assert_match "*log*" $err
    }
    resume_server
    test "and the log is whole" { assert_equal 1 [r vcard k] }
}

set faults [new_directory]
if {[fault_library] ne ""} {
    start_server [dict merge [with_faults $faults] {enable-debug-command local}] {
        test "G1: a read that saw an unsynced write waits for its sync" {
            r vadd k values 1 1 e
            fault $faults slow-sync 300
            set writer [client_open [srv port]]
            set reader [client_open [srv port]]
            set other [client_open [srv port]]
            $writer send vadd k values 1 2 f
            wait_for_calls vadd 2
            $reader send vcard k
            assert_equal PONG [$other ping]
            assert [$reader waits 100]
            assert [$writer waits 1]
            assert_equal 2 [$reader read]
            assert_equal 1 [$writer read]
            $writer send vadd k values 1 2 g
            wait_for_calls vadd 3
            $reader send proof.state
            assert [$reader waits 100]
            assert_equal 1 [$writer read]
            $reader read
            no_fault $faults slow-sync
            foreach c [list $writer $reader $other] { $c close }
        }
        test "group commit: many writers share a sync" {
            fault $faults slow-sync 50
            set before [info_field log_syncs]
            set writers {}
            for {set i 0} {$i < 20} {incr i} { lappend writers [client_open [srv port]] }
            foreach c $writers { $c send vadd k values 1 3 [incr n] }
            foreach c $writers { $c read; $c close }
            no_fault $faults slow-sync
            assert {[info_field log_syncs] - $before <= 4}
        }
        test "G5: a failed sync ends it at once: IOERR to who waits, exit 74" {
            set c [client_open [srv port]]
            set idle [client_open [srv port]]
            fault $faults slow-sync 100
            fault $faults fail-sync
            $c send vadd k values 1 2 doubtful
            assert_error "IOERR log fsync failed (Input/output error): outcome of this write is unknown; server stopping" {$c read}
            assert [$c eof]
            assert [$idle eof]
            lassign [await_end] code err
            assert_equal 74 $code
            assert_match "*fsync failed*" $err
            no_fault $faults slow-sync
            no_fault $faults fail-sync
            resume_server
            assert {[r vcard k] >= 23}
            assert_equal OK [r debug verify]
            $c close
            $idle close
        }
    }
    start_server [dict merge [with_faults $faults] {appendfsync everysec}] {
        test "G2: everysec answers without waiting for the sync" {
            fault $faults slow-sync 400
            set before [clock milliseconds]
            r vadd k values 1 1 e
            assert {[clock milliseconds] - $before < 300}
            no_fault $faults slow-sync
        }
    }
} else {
    test "the disk's faults" { skip "no C compiler for the fault library" }
}
