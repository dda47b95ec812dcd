# Bounds: clients, idle time, buffers, and long commands that keep nobody from a PING.

start_server {maxclients 5} {
    test "maxclients: one more is told so and closed" {
        set open {}
        for {set i 0} {$i < 5} {incr i} { lappend open [client_open [srv port]] }
        foreach c $open { assert_equal PONG [$c ping] }
        set c [client_open [srv port]]
        assert_equal "-ERR max number of clients reached" [$c line]
        assert [$c eof]
        $c close
        foreach c $open { $c close }
        wait_for_condition 100 10 {![catch {r ping}]} { complain "no room again" }
        assert {[info_field rejected_connections] >= 1}
    }
}

start_server {timeout 1 hz 50} {
    test "timeout closes who is idle" {
        set c [client_open [srv port]]
        $c ping
        assert_equal 0 [$c waits 3000]
        assert [$c eof]
        $c close
    }
}

start_server {client-query-buffer-limit 1mb proto-max-bulk-len 1mb client-output-buffer-limit "normal 1mb 0 0" enable-debug-command local} {
    test "G22: an argument over proto-max-bulk-len" {
        set c [client_open [srv port]]
        $c raw "*2\r\n\$4\r\nECHO\r\n\$1048577\r\n"
        assert_equal "-ERR Protocol error: invalid bulk length" [$c line]
        $c close
    }
    test "G22: a transaction over client-query-buffer-limit is refused, not kept" {
        set c [client_open [srv port]]
        $c multi
        set message ""
        for {set i 0} {$i < 20 && $message eq ""} {incr i} {
            catch {$c echo [string repeat x 100000]} answer
            if {$answer ne "QUEUED"} { set message $answer }
        }
        assert_equal "ERR the transaction is longer than client-query-buffer-limit" $message
        assert_error "EXECABORT*" {$c exec}
        $c close
    }
    test "G21: a client that does not read its replies is closed" {
        set before [info_field client_output_buffer_limit_disconnections]
        set c [client_open [srv port]]
        set bytes ""
        for {set i 0} {$i < 500} {incr i} { append bytes [client_encode [list echo [string repeat x 100000]]] }
        fconfigure [$c channel] -blocking 0
        catch {$c raw $bytes}
        wait_for_condition 200 20 {
            [catch {update; flush [$c channel]}] || [info_field client_output_buffer_limit_disconnections] > $before
        } { complain "it is still connected" }
        $c close
        assert_equal PONG [r ping]
    }
    test "the others are answered while a long command runs, and data waits for its turn" {
        set long [client_open [srv port]]
        set data [client_open [srv port]]
        set id [$long client id]
        $long send debug sleep 0.4
        wait_for_command $id debug
        $data send vcard k
        foreach words {ping {client id} {info server} {hello 2} {config get port} {command count} multi {vcard k} discard} {
            set before [clock milliseconds]
            r {*}$words
            assert {[clock milliseconds] - $before < 100}
        }
        assert [$data waits 100]
        assert_equal OK [$long read]
        assert_equal 0 [$data read]
        $long close
        $data close
    }
    test "a client that leaves in the middle of its long command frees the turn" {
        set long [client_open [srv port]]
        set id [$long client id]
        $long send debug sleep 100
        wait_for_command $id debug
        assert_equal 1 [r client kill id $id]
        assert_equal 0 [r vcard k]
        $long close
    }
}

start_server {enable-debug-command local} {
    test "a large search and a large VMADD in slices: PING stays quick, answers are whole" {
        set count 20000
        set blob ""
        set names {}
        for {set i 0} {$i < $count} {incr i} {
            append blob [binary format r64 [lrepeat 64 [expr {$i + 1}]]]
            lappend names e$i
        }
        r vcreate big dim 64 metric l2 index flat
        set c [client_open [srv port]]
        set words [list vmadd big fp32 $blob elements $count {*}$names]
        set bytes [client_encode $words]
        $c raw $bytes
        # Its frame is a long one: checked and written in steps, and all of it before the reply.
        set answered 0
        set under_way 0
        while {[$c waits 0]} {
            assert_equal PONG [r ping]
            incr under_way [expr {[info_field long_commands] > 0}]
            incr answered
        }
        assert_equal $count [$c read]
        assert {$answered >= 3 && $under_way >= 1}
        assert_equal $count [r vcard big]
        assert_equal {e0 e1 e2} [r vsearch big k 3 values 64 {*}[lrepeat 64 0]]
        assert_equal $count [llength [$c vsearch big k $count ele e0]]
        assert {[info_field long_commands] >= 1}
        assert_equal OK [r debug verify]
        $c close
    }
    test "DEBUG goes in slices: what it computes is the same, PING is answered, writes wait" {
        set c [client_open [srv port]]
        set w [client_open [srv port]]
        r vcreate other dim 2 metric l2
        set digest [r debug digest]
        set values [r debug digest-value big nobody other]
        foreach command {{debug digest} {debug verify} {debug digest-value big nobody other}} \
            wanted [list $digest OK $values] {
            set before [info_field long_commands]
            $c raw [client_encode $command]
            set long 0
            while {[$c waits 0]} {
                assert_equal PONG [r ping]
                if {[info_field long_commands] > $before} { set long 1 }
            }
            assert_equal $wanted [$c read]
            assert {[info_field long_commands] > $before}
        }
        # A write that comes meanwhile is not seen by it, and is not lost.
        $c raw [client_encode {debug digest}]
        $w raw [client_encode {vadd other values 2 1 2 x}]
        assert {[$c read] ne ""}
        assert_equal 1 [$w read]
        assert {[r debug digest] ne $digest}
        r debug freeze
        r vrem other x
        assert_equal OK [r debug unfreeze]
        $c close
        $w close
    }
    test "a client killed in the middle of a large VMADD leaves all of it or nothing" {
        for {set i 0} {$i < 5} {incr i} {
            set c [client_open [srv port]]
            set id [$c client id]
            r vcreate half$i dim 64 index flat
            $c raw [client_encode [lreplace $words 1 1 half$i]]
            for {set j 0} {$j < 50 * $i} {incr j} { r ping } ;# somewhere else each time
            r client kill id $id
            $c close
            assert {[r vcard half$i] in [list 0 $count]}
        }
        assert_equal OK [r debug verify]
    }
}
