# What the operator is told: levels, files, SIGHUP, the system's log, the start.

proc log_text {} { return [read_file [srv out]] }

start_server {} {
    test "lines have Redis's form, in UTC" {
        assert {[regexp -line {^(\d+):M (\d\d \w{3} \d{4} \d\d:\d\d):\d\d\.\d{3} \* Ready to accept connections on port \d+$} \
                     [log_text] all pid time]}
        assert_equal [srv pid] $pid
        set now [clock seconds]
        set near [lmap offset {0 -60 -120} {clock format [expr {$now + $offset}] -format "%d %b %Y %H:%M" -gmt 1}]
        assert {$time in $near}
    }
    test "loglevel changes at once" {
        r config set loglevel nothing
        set before [log_text]
        r config set loglevel notice
        set c [client_open [srv port]]
        $c raw "POST / HTTP/1.1\r\nHost: x\r\n\r\n"
        assert [$c eof]
        $c close
        wait_for_condition 100 10 {[string match "*cross-protocol attack*" [log_text]]} { complain "no line" }
        r config set loglevel nothing
        set c [client_open [srv port]]
        $c raw "POST / HTTP/1.1\r\n"
        assert [$c eof]
        $c close
        r ping
        assert_equal 1 [regexp -all {cross-protocol} [log_text]]
    }
}

set logs [new_directory]
start_server [list logfile $logs/valori.log] {
    test "SIGHUP opens the log file anew: nothing is lost, nothing doubled" {
        wait_for_condition 500 10 {[string match "*Ready to accept*" [read_file $logs/valori.log]]} {
            complain "no log"
        }
        file rename $logs/valori.log $logs/valori.log.1
        exec kill -HUP [srv pid]
        wait_for_condition 500 10 {[string match "*log file was opened*" [read_file $logs/valori.log]]} {
            complain "not opened"
        }
        assert_match "*Ready to accept*the log goes on in a new file\n" [read_file $logs/valori.log.1]
        assert {![string match "*Ready*" [read_file $logs/valori.log]]}
        exec kill -TERM [srv pid]
        await_end
        assert_match "*Received a signal*bye bye*" [read_file $logs/valori.log]
    }
}

start_server {} {
    test "the start says what was recovered" {
        foreach e {a b c} { r vadd k values 2 1 2 $e }
        set state_root [field [r proof.state sync] state_root]
        set size [info_field log_entries]
        restart_server
        assert_match "*DB loaded from the log: * seconds, $size entries, * bytes read, 0 bytes torn\n*" [log_text]
        assert_match "*State root $state_root, sealed at entry [expr {$size - 1}], 0 changes since\n*" [log_text]
        kill_server
        set path [lindex [lsort [glob -directory [srv dir] valori-0*.log]] end]
        set file [open $path ab]
        puts -nonewline $file [string repeat x 50]
        close $file
        resume_server
        if {[regexp {(\d+) bytes torn} [log_text] all torn] && $torn > 0} {
            assert_match "*The log ended in $torn bytes that were never acknowledged: they were cut off\n*" [log_text]
        } else { complain "no torn tail: [log_text]" }
        assert_equal 3 [r vcard k]
    }
}

if {[fault_library] ne ""} {
    set faults [new_directory]
    start_server [dict merge [with_faults $faults] {syslog-enabled yes syslog-ident mine syslog-facility local3}] {
        test "the system's log gets the same lines, by level" {
            set text [read_file $faults/syslog]
            assert_match "openlog mine 19\n5 valori * starting*5 Ready to accept connections on port*" $text
            r send shutdown
            await_end
            assert_match "*\n4 User requested shutdown...\n*" [read_file $faults/syslog]
        }
    }
}
