# The parser's rules (one row each) over a socket: the same answer wherever the bytes are cut, and
# before and after authentication. The unit test of resp_read.c has the same rules in memory.

# What comes back, in letters: P a PING's answer, B:x ECHO x's, U:x "unknown command", E:x a
# protocol error, after which nothing comes any more.
proc transcript {answers known} {
    set text ""
    foreach answer $answers {
        set rest [string range $answer 2 end]
        switch -- [string index $answer 0] {
            P { append text [expr {$known ? "+PONG\r\n" : "-NOAUTH Authentication required.\r\n"}] }
            B {
                append text [expr {$known ? "\$[string length $rest]\r\n$rest\r\n"
                                          : "-NOAUTH Authentication required.\r\n"}]
            }
            U { append text "-ERR unknown command '$rest'\r\n" }
            E { append text "-ERR Protocol error: $rest\r\n" }
        }
    }
    return $text
}

# Send both parts so that the server has read the first before the second is there, then no more;
# gives all that comes back.
proc converse {known first second} {
    set c [client_open [srv port]]
    if {$known} { $c auth secret }
    if {$first ne ""} {
        catch { $c raw $first }
        r echo barrier
    }
    catch { $c raw $second }
    catch { chan close [$c channel] write }
    set text ""
    catch { append text [read [$c channel]] }
    $c close
    return $text
}

# Every cut of a short row; of a long one those near its ends and some between.
proc cuts {size} {
    set all {}
    for {set cut 0} {$cut < $size} {incr cut} {
        if {$size > 300 && $cut > 12 && $size - $cut > 12 && $cut % 16381 != 0} continue
        lappend all $cut
    }
    return $all
}

proc check_row {bytes answers known} {
    set wanted [transcript $answers $known]
    foreach cut [cuts [string length $bytes]] {
        set got [converse $known [string range $bytes 0 [expr {$cut - 1}]] [string range $bytes $cut end]]
        if {$got ne $wanted} {
            complain "cut at $cut, known $known:\nwanted [shown $wanted]\ngot    [shown $got]"
        }
    }
}

set many [string repeat x 70000]
set zeros [string repeat "\0" 70000]

# bytes, the answers, and the answers to strangers where they differ
set rows [list \
    "\r\nPING\r\n" P {} \
    "*0\r\n*-1\r\n*-10\r\nPING\r\n" P {} \
    "PING\nPING\r\n" {P P} {} \
    "*1\r\n\$4\r\nPING\r\n*1\r\n\$4\r\nping\r\n" {P P} {} \
    "echo \"a\\x62\\\"\" \r\n" {{B:ab"}} {} \
    "echo 'it\\'s'\r\n" {B:it's} {} \
    "PING\r\necho \"x\r\nPING\r\n" {P {E:unbalanced quotes in request}} {} \
    "echo 'a'b\r\n" {{E:unbalanced quotes in request}} {} \
    "*1\r\n\$0\r\n\r\nPING\r\n" {U: P} {} \
    "%1\r\n+a\r\n\$4\r\n" {U:%1 U:+a U:$4} {} \
    "*1\n" {} {} \
    "*x\r\n" {{E:invalid multibulk length}} {} \
    "*+1\r\n" {{E:invalid multibulk length}} {} \
    "* 1\r\n" {{E:invalid multibulk length}} {} \
    "*01\r\n" {{E:invalid multibulk length}} {} \
    "*\r\n" {{E:invalid multibulk length}} {} \
    "*2147483648\r\n" {{E:invalid multibulk length}} {} \
    "*1048577\r\nPING" {{E:invalid multibulk length}} {{E:unauthenticated multibulk length}} \
    "*11\r\n" {} {{E:unauthenticated multibulk length}} \
    "*10\r\n\$4\r\n" {} {} \
    "*1\r\nfoo\r\n" {{E:expected '$', got 'f'}} {} \
    "*2\r\n\$4\r\nECHO\r\n:1\r\n" {{E:expected '$', got ':'}} {} \
    "*1\r\n\$-1\r\nPING\r\n" {{E:invalid bulk length}} {} \
    "*1\r\n\$-5\r\n" {{E:invalid bulk length}} {} \
    "*1\r\n\$abc\r\n" {{E:invalid bulk length}} {} \
    "*1\r\n\$04\r\nPING\r\n" {{E:invalid bulk length}} {} \
    "*1\r\n\$536870913\r\n" {{E:invalid bulk length}} {{E:unauthenticated bulk length}} \
    "*1\r\n\$16385\r\n" {} {{E:unauthenticated bulk length}} \
    "*1\r\n\$16384\r\nx" {} {} \
    "*1\r\n\$4\r\nPINGxx*1\r\n" {{E:expected CRLF after bulk}} {} \
    "*1\r\n\$3\r\nPING\r\n" {{E:expected CRLF after bulk}} {} \
    "QUIT\r\nPING\r\n" {} {} \
    "POST / HTTP/1.1\r\nPING\r\n" {} {} \
    "PING\r\nHost: x\r\nPING\r\n" {} {} \
    $many {{E:too big inline request}} {} \
    "*$many" {{E:too big mbulk count string}} {} \
    "*1\r\n\$$many" {{E:too big bulk count string}} {} \
    $zeros {{E:too big inline request}} {} \
    "*$zeros" {{E:too big mbulk count string}} {} \
    "*1\r\n\$$zeros" {{E:too big bulk count string}} {} \
    "*2\r\n\$4\r\nECHO\r\n\$16384\r\n[string repeat y 16384]\r\nPING\r\n" \
        [list "B:[string repeat y 16384]" P] {} \
]

start_server {requirepass secret} {
    r auth secret
    foreach {bytes answers stranger} $rows {
        if {$stranger eq ""} { set stranger $answers }
        if {[string match "QUIT*" $bytes]} continue
        set name [string range [shown $bytes] 0 40]
        # The guard drops the connection with what was to be sent: nobody is at the other end.
        if {[string match "*Host:*" $bytes]} continue
        test "G23: at every cut: $name" { check_row $bytes $answers 1 }
        test "G23: at every cut, a stranger: $name" { check_row $bytes $stranger 0 }
    }
    test "QUIT is answered, and what follows is ignored, at every cut" {
        foreach known {0 1} {
            set bytes "QUIT\r\nPING\r\n"
            foreach cut [cuts [string length $bytes]] {
                set got [converse $known [string range $bytes 0 [expr {$cut - 1}]] [string range $bytes $cut end]]
                assert_equal "+OK\r\n" $got
            }
        }
    }
    test "G23: the guard against other protocols, at every cut, with a line in the log" {
        set before [llength [regexp -all -inline {cross-protocol} [read_file [srv out]]]]
        set count 0
        foreach known {0 1} {
            foreach bytes {"POST / HTTP/1.1\r\nPING\r\n" "PING\r\nhost: x\r\nPING\r\n"} {
                foreach cut [cuts [string length $bytes]] {
                    set got [converse $known [string range $bytes 0 [expr {$cut - 1}]] [string range $bytes $cut end]]
                    # A PING before it may have been answered in a turn of its own.
                    assert {$got in [list "" [transcript P $known]]}
                    incr count
                }
            }
        }
        set after [llength [regexp -all -inline {cross-protocol} [read_file [srv out]]]]
        assert_equal $count [expr {$after - $before}]
    }
    test "protocol errors are counted, and nothing of all this has run" {
        assert {[info_field total_protocol_errors] > 500}
        assert_equal 0 [r dbsize]
    }
    test "20,000 arguments, and one argument of every size around the big ones" {
        set c [client_open [srv port]]
        $c auth secret
        assert_error "ERR wrong number of arguments for 'echo' command" {$c echo {*}[lrepeat 20000 x]}
        foreach size {0 1 16383 16384 16385 32767 32768 32769 65536 1048576 3000000} {
            assert_equal $size [string length [$c echo [string repeat z $size]]]
        }
        $c close
    }
    test "a half request is released when idle and goes on after three seconds" {
        set c [client_open [srv port]]
        $c auth secret
        set id [$c client id]
        set bytes [client_encode [list echo [string repeat w 20000]]]
        $c raw [string range $bytes 0 9999]
        wait_for_condition 100 50 {
            [regexp { idle=(\d+) } [r client list id $id] -> idle] && $idle >= 3
        } { complain "it is never idle" }
        $c raw [string range $bytes 10000 end]
        assert_equal [string repeat w 20000] [$c read]
        $c close
    }
}
