# DEBUG RELOAD: what a restart does to the state, while the connections stay.

# All that a client can see of the state below.
proc seen {} {
    set answers [list [lsort [r keys *]] [r get greeting] [r get counter] [r select 1] [r get other] \
        [r select 0] [r vcard flat] [r vcard graph] [r vinfo graph] \
        [r vsim flat values 4 1 2 3 4 withscores withattribs count 20] \
        [r vsearch graph k 10 values 8 1 0 2 0 3 0 4 0] [r vgetattr flat e3] [r debug digest] \
        [r debug digest-value flat graph greeting]]
    for {set i 0} {$i < 300} {incr i 7} { lappend answers [r vlinks graph e$i withscores] }
    return $answers
}

proc fill {} {
    r set greeting "a \0 b"
    r incrby counter 41
    r select 1
    r set other 1
    r select 0
    for {set i 0} {$i < 40} {incr i} {
        r vadd flat values 4 $i 1 [expr {$i * $i}] -2 e$i setattr "{\"n\":$i}" tag [expr {$i % 3}]
    }
    r vrem flat e7
    r vcreate graph dim 8 index hnsw
    for {set i 0} {$i < 300} {incr i} {
        r vadd graph values 8 $i [expr {$i % 7}] 1 [expr {$i % 11}] 2 [expr {-$i}] 3 [expr {$i % 5}] e$i
    }
    for {set i 0} {$i < 300} {incr i 9} { r vrem graph e$i }
    r debug sleep 0
}

start_server {enable-debug-command local log-segment-size 64kb seal-interval-ms 60000} {
    test "G13: DEBUG RELOAD gives the same answers, roots and links, twice" {
        fill
        set before [seen]
        set state [r proof.state sync]
        foreach round {1 2} {
            assert_equal OK [r debug reload]
            assert_equal $state [r proof.state]
            assert_equal $before [seen]
            assert_equal OK [r debug verify]
            assert_equal 0 [info_field loading]
            assert_match "*DB reloaded by DEBUG RELOAD*" [read_file [srv out]]
        }
        assert {[info_field recovery_entries] >= 372}
    }
    test "G13: after DEBUG RELOAD writes go on, and a restart finds them" {
        r incr counter
        r vadd graph values 8 1 1 1 1 1 1 1 1 late
        # Not sealed yet: DEBUG RELOAD seals, so that the recovery compares this too.
        assert {[field [r proof.state] dirty_ops] > 0}
        assert_equal OK [r debug reload]
        assert_equal 0 [field [r proof.state] dirty_ops]
        set state [r proof.state]
        set before [seen]
        kill_server
        resume_server
        assert_equal $state [r proof.state]
        assert_equal $before [seen]
        assert_equal 42 [r get counter]
    }
    test "DEBUG RELOAD: options, MULTI and a held view are refused" {
        foreach option {nosave noflush merge {nosave noflush} what} {
            assert_error "ERR wrong number of arguments for 'debug|reload' command" {r debug reload {*}$option}
        }
        r multi
        assert_error "ERR Command not allowed inside a transaction" {r debug reload}
        r discard
        r debug freeze
        assert_error "ERR DEBUG RELOAD cannot drop the view that is held" {r debug reload}
        assert_equal OK [r debug unfreeze]
        assert_equal OK [r debug reload]
    }
    test "DEBUG RELOAD: watched keys count as changed" {
        foreach key {greeting nokey} {
            r watch $key
            r debug reload
            r multi
            r get greeting
            assert_equal (nil) [r exec]
        }
        r watch greeting
        r multi
        r strlen greeting
        assert_equal 5 [r exec]
    }
    test "G3: DEBUG RELOAD beside a writer: what was acknowledged is there" {
        set writer [client_open [srv port]]
        set c [client_open [srv port]]
        set acknowledged 0
        set refused 0
        for {set round 0} {$round < 8} {incr round} {
            set bytes ""
            for {set i 0} {$i < 200} {incr i} { append bytes [client_encode {incr beside}] }
            $writer raw $bytes
            $c raw [client_encode {debug reload}]
            for {set i 0} {$i < 200} {incr i} {
                if {[catch {$writer read} answer]} {
                    assert_equal "LOADING valori is loading the dataset in memory" $answer
                    incr refused
                } else {
                    assert_equal [incr acknowledged] $answer
                }
            }
            assert_equal OK [$c read]
        }
        assert_equal $acknowledged [r get beside]
        assert_equal 1600 [expr {$acknowledged + $refused}]
        kill_server
        resume_server
        assert_equal $acknowledged [r get beside]
    }
    test "G16: DEBUG RELOAD of a damaged log ends as a start does" {
        r set greeting last
        r proof.state sync
        set path [lindex [lsort [glob -directory [srv dir] valori-*.log]] 0]
        set bytes [read_file $path]
        set damaged [string replace $bytes 5000 5000 [expr {[string index $bytes 5000] eq "x" ? "y" : "x"}]]
        write_file $path $damaged
        catch {r debug reload}
        lassign [await_end] code said
        assert_equal 3 $code
        assert_match "FATAL corrupt: *valori-check log*" $said
        write_file $path $bytes
        server_launch
        assert_equal last [r get greeting]
    }
}

start_server {enable-debug-command local appendonly no} {
    test "DEBUG RELOAD without a log is refused, and nothing is lost" {
        fill
        set before [seen]
        assert_error "ERR DEBUG RELOAD needs appendonly yes" {r debug reload}
        assert_equal $before [seen]
    }
}

start_server {} {
    test "DEBUG RELOAD is not for those whom enable-debug-command does not name" {
        assert_error "ERR DEBUG command not allowed.*" {r debug reload}
    }
}

set faults [new_directory]
if {[fault_library] ne ""} {
    start_server [dict merge [with_faults $faults] {
        enable-debug-command local log-segment-size 64kb appendfsync always
    }] {
        for {set i 0} {$i < 2000} {incr i} {
            r vadd k values 8 $i 1 2 3 4 5 6 7 e$i setattr [string repeat x 100]
        }
        set state [r proof.state sync]
        test "G28: while DEBUG RELOAD loads, LOADING for data, answers for PING and INFO" {
            set c [client_open [srv port]]
            r multi
            r vcard k
            fault $faults slow-read 100
            $c raw [client_encode {debug reload}]
            set other [client_open [srv port]]
            wait_for_condition 1000 5 {[regexp {loading:1} [$other info persistence]]} {
                complain "it does not load"
            }
            assert_equal PONG [$other ping]
            assert_match "*loading_loaded_perc:*" [$other info persistence]
            assert_error "LOADING *" {$other vcard k}
            assert_error "LOADING *" {$other debug reload}
            # A transaction is over when its EXEC was refused.
            assert_error "EXECABORT Transaction discarded because of: LOADING *" {r exec}
            assert_error "LOADING *" {r vcard k}
            no_fault $faults slow-read
            assert_equal OK [$c read]
            assert_equal 2000 [r vcard k]
            assert_equal $state [r proof.state]
        }
        test "G28: who asked for DEBUG RELOAD may leave, and it goes on" {
            fault $faults slow-read 100
            $c raw [client_encode {debug reload}]
            wait_for_condition 1000 5 {[info_field loading] == 1} { complain "it does not load" }
            $c close
            r ping
            no_fault $faults slow-read
            wait_for_condition 1000 10 {[info_field loading] == 0} { complain "it loads for ever" }
            assert_equal $state [r proof.state]
            assert_equal OK [r debug reload]
            assert_equal 2000 [r vcard k]
        }
        test "G3: writes that wait for their sync are answered before DEBUG RELOAD drops the state" {
            set writer [client_open [srv port]]
            set c [client_open [srv port]]
            fault $faults slow-sync 50
            fault $faults slow-read 100
            $writer raw [client_encode {set waits 1}]
            $c raw [client_encode {debug reload}]
            wait_for_condition 1000 5 {[info_field loading] == 1} { complain "it does not load" }
            assert_equal OK [$writer read]
            assert_equal 1 [info_field loading]
            no_fault $faults slow-read
            no_fault $faults slow-sync
            assert_equal OK [$c read]
            assert_equal 1 [r get waits]
        }
        test "G27: SIGTERM while DEBUG RELOAD loads ends it, and nothing is lost" {
            set state [r proof.state sync]
            fault $faults slow-read 100
            set c [client_open [srv port]]
            $c raw [client_encode {debug reload}]
            wait_for_condition 1000 5 {[info_field loading] == 1} { complain "it does not load" }
            lassign [stop_server] code
            assert_equal 0 $code
            no_fault $faults slow-read
            server_launch
            assert_equal $state [r proof.state]
        }
    }
} else {
    test "DEBUG RELOAD while it loads" { skip "no C compiler for the fault library" }
}
