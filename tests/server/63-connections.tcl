# Connections as such: who may come, how many, how long, and what all of them together may hold.

# The address of this machine that is not loopback, or "".
proc other_address {} {
    if {[catch {exec ip -4 -o addr show scope global} text]} { return "" }
    if {![regexp {inet ([0-9.]+)} $text all address]} { return "" }
    return $address
}

start_server {requirepass secret authentication-timeout 1 hz 50} {
    test "who does not authenticate in time is closed, who does stays" {
        set stranger [client_open [srv port]]
        set known [client_open [srv port]]
        $known auth secret
        $stranger raw "*2\r\n\$4\r\nAU"
        assert_equal 0 [$stranger waits 4000]
        assert [$stranger eof]
        assert_equal PONG [$known ping]
        $stranger close
        $known close
    }
}

start_server {requirepass secret authentication-timeout 0 maxmemory-strangers 8mb} {
    r auth secret
    test "G24: wrong passwords of every size are refused, counted, and not told apart" {
        set c [client_open [srv port]]
        set before [info_field acl_access_denied_auth]
        set tries 0
        foreach password [list "" s secre secrex secret\0 secretsecret SECRET [string repeat x 16384]] {
            assert_error "WRONGPASS invalid username-password pair or user is disabled." {$c auth $password}
            assert_error "WRONGPASS invalid username-password pair or user is disabled." {$c auth default $password}
            assert_error "WRONGPASS invalid username-password pair or user is disabled." {$c auth nobody secret}
            assert_error "WRONGPASS invalid username-password pair or user is disabled." {$c hello 3 auth default $password}
            incr tries 4
        }
        assert_equal [expr {$before + $tries}] [info_field acl_access_denied_auth]
        assert_error "NOAUTH*" {$c ping}
        $c close
    }
    test "G22: a stranger that does not read its NOAUTH replies is closed at 1 KiB" {
        set before [info_field client_output_buffer_limit_disconnections]
        set c [client_open [srv port]]
        fconfigure [$c channel] -blocking 0
        catch { $c raw [string repeat "ping\r\n" 2000] }
        wait_for_condition 200 10 {[info_field client_output_buffer_limit_disconnections] > $before} { complain "it is still there" }
        $c close
    }
    test "G22: a stranger's input ends at 1 MB, wherever its requests end" {
        # Ten arguments of 16 KiB are the largest request, so nothing comes near to it.
        set c [client_open [srv port]]
        set bytes "*10\r\n[string repeat "\$16384\r\n[string repeat x 16384]\r\n" 10]"
        $c raw $bytes
        assert_match "-ERR unknown command*" [$c line]
        $c close
    }
    test "G22: a flood of strangers: announcements, halves, unread refusals" {
        r client no-evict on
        set before [info_field used_memory]
        set resident [info_field used_memory_rss]
        set open {}
        set bodies [list \
            "*10\r\n\$4\r\nAUTH\r\n\$16384\r\nx" \
            "*2147483647\r\n" \
            "*1\r\n\$536870912\r\n" \
            [string repeat x 65000] \
            "*10\r\n[string repeat "\$16384\r\n[string repeat x 16384]\r\n" 9]" \
            [string repeat "ping\r\n" 30]]
        for {set i 0} {$i < 600} {incr i} {
            set c [client_open [srv port]]
            fconfigure [$c channel] -blocking 0
            catch { $c raw [lindex $bodies [expr {$i % 6}]] }
            lappend open $c
        }
        r ping
        set grown [expr {[info_field used_memory] - $before}]
        assert {$grown < 16 * 1024 * 1024}
        assert {[info_field used_memory_rss] - $resident < 50 * 1024 * 1024}
        assert {[info_field mem_clients_unauthenticated] < 12 * 1024 * 1024}
        assert {[info_field evicted_unauthenticated_clients] > 0}
        # Meanwhile somebody who has the password gets in.
        set c [client_open [srv port]]
        assert_equal OK [$c auth secret]
        assert_equal PONG [$c ping]
        $c close
        foreach c $open { catch { $c close } }
        wait_for_condition 200 10 {[info_field connected_clients] == 1} { complain "they stay" }
        assert_equal 0 [info_field mem_clients_unauthenticated]
    }
}

set address [other_address]
if {$address ne ""} {
    start_server [list bind [list 127.0.0.1 $address] requirepass secret] {
        test "with a password others may come" {
            set c [socket $address [srv port]]
            fconfigure $c -translation binary
            puts -nonewline $c "AUTH secret\r\nPING\r\n"
            flush $c
            assert_equal +OK [string trim [gets $c]]
            assert_equal +PONG [string trim [gets $c]]
            close $c
        }
        # The DENIED line is the lock behind this one: it cannot be reached from here.
        test "the password cannot be taken away while others may come" {
            r auth secret
            assert_error "*no requirepass is set: refused*" {r config set requirepass ""}
            assert_error "*no requirepass is set: refused*" {r config set requirepass "" protected-mode no}
            set c [socket $address [srv port]]
            fconfigure $c -translation binary -buffering none
            puts -nonewline $c "PING\r\n"
            assert_match "-NOAUTH*" [gets $c]
            close $c
        }
    }
}

start_server {maxclients 30 hz 50} {
    test "accept in small batches, and everybody is served" {
        set open {}
        for {set i 0} {$i < 29} {incr i} { lappend open [client_open [srv port]] }
        foreach c $open { assert_equal PONG [$c ping] }
        foreach c $open { $c close }
    }
    test "a pipeline of one client does not keep the others waiting" {
        set c [client_open [srv port]]
        fconfigure [$c channel] -blocking 0 -buffersize 1000000
        set d [client_open [srv port]]
        $d ping
        set worst 0
        for {set round 0} {$round < 20} {incr round} {
            catch { $c raw [string repeat [client_encode {command docs}] 20] }
            set before [clock milliseconds]
            $d ping
            set worst [expr {max($worst, [clock milliseconds] - $before)}]
            catch { read [$c channel] }
        }
        assert {$worst < 200}
        $c close
        $d close
    }
}

start_server {client-output-buffer-limit "normal 0 100kb 1" hz 50} {
    test "the soft output limit: closed after its time, and not before" {
        set before [info_field client_output_buffer_limit_disconnections]
        set c [client_open [srv port]]
        fconfigure [$c channel] -blocking 0
        set start [clock milliseconds]
        set words [client_encode [list echo [string repeat x 1000000]]]
        catch { $c raw [string repeat $words 20] }
        wait_for_condition 400 10 {
            [catch {update; flush [$c channel]}] ||
            [info_field client_output_buffer_limit_disconnections] > $before
        } { complain "it is still there" }
        assert {[clock milliseconds] - $start > 1000}
        assert_match "*closed: over client-output-buffer-limit*" [read_file [srv out]]
        $c close
    }
    test "who reads in time stays" {
        set c [client_open [srv port]]
        # For longer than the soft limit's second.
        set end [expr {[clock milliseconds] + 1500}]
        while {[clock milliseconds] < $end} {
            assert_equal 400000 [string length [$c echo [string repeat y 400000]]]
        }
        $c close
    }
}

start_server {maxmemory-clients 3mb hz 50} {
    test "maxmemory-clients: the largest goes first, NO-EVICT stays, MULTI counts" {
        r client no-evict on
        set kept [client_open [srv port]]
        $kept client no-evict on
        $kept multi
        for {set i 0} {$i < 15} {incr i} { $kept echo [string repeat k 100000] }
        set small [client_open [srv port]]
        $small multi
        $small echo [string repeat s 300000]
        set large [client_open [srv port]]
        $large multi
        set id ""
        for {set i 0} {$i < 15} {incr i} { if {[catch {$large echo [string repeat l 100000]}]} break }
        assert {$i < 15}
        assert_equal 1 [info_field evicted_clients]
        assert_equal 300000 [string length [lindex [$small exec] 0]]
        assert_equal 15 [llength [$kept exec]]
        foreach c [list $kept $small $large] { $c close }
    }
    test "maxmemory-clients: a large half request counts" {
        set before [info_field evicted_clients]
        set c [client_open [srv port]]
        catch { $c raw "*2\r\n\$4\r\nECHO\r\n\$8000000\r\n[string repeat x 4000000]" }
        wait_for_condition 200 10 {[info_field evicted_clients] > $before} { complain "it is still there" }
        $c close
    }
}

start_server {client-output-buffer-limit "normal 1mb 0 0"} {
    test "EXEC whose answer is too long for its client is carried out whole" {
        set c [client_open [srv port]]
        fconfigure [$c channel] -blocking 0 -buffersize 4000000
        $c raw [client_encode multi]
        $c raw [client_encode {vadd before values 1 1 a}]
        for {set i 0} {$i < 4} {incr i} { $c raw [client_encode [list echo [string repeat x 500000]]] }
        $c raw [client_encode {vadd after values 1 1 a}][client_encode exec]
        wait_for_condition 400 10 {
            [catch {update; flush [$c channel]}] || [info_field client_output_buffer_limit_disconnections] == 1
        } { complain "it is still there" }
        wait_for_condition 100 10 {[info_field client_output_buffer_limit_disconnections] == 1} { complain "not counted" }
        assert_equal 2 [r exists before after]
        # No part of the answer has been sent: before it there are the OK and the QUEUEDs.
        fconfigure [$c channel] -blocking 1
        set text ""
        catch { set text [read [$c channel]] }
        assert {![string match {*\**} $text]}
        $c close
    }
}

start_server {} {
    test "limits set while connections are there hold for them too" {
        set c [client_open [srv port]]
        $c ping
        r config set client-output-buffer-limit "normal 1mb 0 0" client-query-buffer-limit 2mb
        assert_match "normal 1048576 0 0 slave *" [lindex [r config get client-output-buffer-limit] 1]
        fconfigure [$c channel] -blocking 0
        catch { $c raw [string repeat [client_encode [list echo [string repeat x 900000]]] 30] }
        wait_for_condition 400 10 {
            [catch {update; flush [$c channel]}] || [info_field client_output_buffer_limit_disconnections] > 0
        } { complain "it is still there" }
        $c close
        r config set tcp-keepalive 7
        set c [client_open [srv port]]
        $c ping
        if {![catch {exec ss -tno state established sport = :[srv port]} text]} {
            assert_match "*timer:(keepalive,*" $text
        }
        $c close
    }
    test "client-output-buffer-limit: Redis's errors" {
        foreach {value why} {
            "normal 0 0" "Wrong number of arguments in buffer limit configuration."
            "foo 0 0 0" "Invalid client class specified in buffer limit configuration."
            "normal x 0 0" "Error in hard, soft or soft_seconds setting in buffer limit configuration."
        } {
            assert_error "ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit')*$why" \
                {r config set client-output-buffer-limit $value}
        }
    }
}

start_server {client-query-buffer-limit 1mb proto-max-bulk-len 4mb} {
    test "G22: input over client-query-buffer-limit: closed, counted, said" {
        set c [client_open [srv port]]
        catch { $c raw "*2\r\n\$4\r\nECHO\r\n\$3000000\r\n[string repeat x 3000000]" }
        wait_for_condition 200 10 {[info_field client_query_buffer_limit_disconnections] == 1} { complain "not counted" }
        assert_match "*closed: over client-query-buffer-limit*" [read_file [srv out]]
        $c close
    }
}

set path [file join $scratch valori.sock]
start_server [list unixsocket $path unixsocketperm 600] {
    test "a socket in the file system, with the mode that was asked for" {
        assert_equal socket [file type $path]
        assert_match "*0600" [file attributes $path -permissions]
        if {[auto_execok redis-cli] eq ""} { skip "no redis-cli" }
        set line [exec redis-cli -s $path client info]
        assert_match "*addr=$path:0 laddr=$path:0 *flags=U *" $line
        assert_equal PONG [exec redis-cli -s $path ping]
    }
    test "it is gone when the server has stopped, and replaced when it was left behind" {
        stop_server
        assert {![file exists $path]}
        resume_server
        kill_server
        assert [file exists $path]
        resume_server
        assert_equal PONG [r ping]
    }
}

test "a file that is no socket is not replaced" {
    write_file $path "mine"
    lassign [run_server [list unixsocket $path dir $scratch appendonly no]] code err
    assert_equal 1 $code
    assert_match "*Failed listening on $path*" $err
    assert_equal mine [read_file $path]
    file delete $path
}

test "maxclients is lowered to what the system allows, and that is said" {
    set directory [new_directory]
    set out [file join $directory out]
    set pid [exec sh -c "ulimit -n 100; exec [server_binary] --port 0 --dir $directory" > $out 2> $out.err &]
    wait_for_condition 300 10 {[regexp {connections on port (\d+)} [read_file $out] all port]} { complain "it does not start" }
    assert_match "*maxclients lowered from 10000 to 68: the system allows 100 open descriptors*" [read_file $out]
    set c [client_open $port]
    assert_equal {maxclients 68} [$c config get maxclients]
    $c close
    exec kill $pid
    wait_for_condition 300 10 {![process_lives $pid]} { complain "it does not stop" }
}
