# Bytes on the wire: both protocols, pipelines, what is refused, and cuts at every place.

start_server {} {
    test "inline requests and quotes" {
        set c [client_open [srv port]]
        $c raw "ping \"a\\x62c\"\r\n"
        assert_equal {$3} [$c line]
        assert_equal abc [$c line]
        $c raw "\r\n*0\r\n*-1\r\nPING\n"
        assert_equal +PONG [$c line]
        $c close
    }
    test "a pipeline is answered in order" {
        set c [client_open [srv port]]
        set bytes ""
        for {set i 0} {$i < 2000} {incr i} { append bytes [client_encode [list echo $i]] }
        $c raw $bytes
        for {set i 0} {$i < 2000} {incr i} { assert_equal $i [$c read] }
        $c close
    }
    test "HELLO chooses the protocol" {
        set c [client_open [srv port]]
        assert_equal 3 [field [$c hello 3] proto]
        r vadd h values 2 1 0 a
        $c send vsim h ele a withscores
        assert_equal %1 [$c line]
        foreach wanted [list {$1} a ,1] { assert_equal $wanted [$c line] }
        $c send vismember h a
        assert_equal #t [$c line]
        $c send vgetattr h a
        assert_equal _ [$c line]
        $c send info server
        assert_match "=*" [$c line]
        $c close
    }
    test "RESP2 shapes of the same" {
        set c [client_open [srv port]]
        $c send vsim h ele a withscores
        assert_equal *2 [$c line]
        foreach wanted [list {$1} a {$1} 1] { assert_equal $wanted [$c line] }
        $c send vismember h a
        assert_equal :1 [$c line]
        $c send vgetattr h a
        assert_equal {$-1} [$c line]
        $c send vinfo nothing
        assert_equal *-1 [$c line]
        $c close
    }
    test "HELLO's errors leave the protocol alone" {
        assert_error "NOPROTO unsupported protocol version" {r hello 4}
        assert_error "ERR Protocol version is not an integer or out of range" {r hello x}
        assert_error "ERR Syntax error in HELLO option 'foo'" {r hello 3 foo}
        assert_equal 2 [field [r hello] proto]
    }
    foreach {bytes why} {
        "*1\r\nxoops\r\n" "expected '$', got 'x'"
        "*1\r\n$-5\r\n" "invalid bulk length"
        "*1\r\n$abc\r\n" "invalid bulk length"
        "*2000000000\r\n" "invalid multibulk length"
        "*99999999999999999999\r\n" "invalid multibulk length"
        "*1\r\n$9999999999\r\n" "invalid bulk length"
        "ping \"x\r\n" "unbalanced quotes in request"
    } {
        test "G23: a protocol error is told once and ends the connection: $why" {
            for {set cut 0} {$cut < [string length $bytes]} {incr cut} {
                set c [client_open [srv port]]
                $c raw [string range $bytes 0 [expr {$cut - 1}]]
                $c raw "[string range $bytes $cut end]"
                assert_match "-ERR Protocol error: $why*" [$c line]
                assert [$c eof]
                $c close
            }
        }
    }
    test "a request cut anywhere is the same request" {
        set bytes [client_encode [list vadd cut values 2 1 2 "e\r\n"]]
        for {set cut 1} {$cut < [string length $bytes]} {incr cut} {
            set c [client_open [srv port]]
            $c raw [string range $bytes 0 [expr {$cut - 1}]]
            $c raw [string range $bytes $cut end]
            $c read
            $c close
        }
        assert_equal 1 [r vcard cut]
    }
    test "G22: what is announced takes no memory" {
        set before [info_field used_memory]
        set open {}
        for {set i 0} {$i < 50} {incr i} {
            set c [client_open [srv port]]
            $c raw "*3\r\n\$4\r\nECHO\r\n\$536870912\r\nx"
            lappend open $c
        }
        r ping
        assert {[info_field used_memory] - $before < 60 * 1024 * 1024}
        foreach c $open { $c close }
    }
    test "G23: other protocols are shown the door" {
        foreach first {"POST / HTTP/1.1" "Host: localhost"} {
            set c [client_open [srv port]]
            $c raw "$first\r\nVADD http VALUES 1 1 a\r\n\r\n"
            assert [$c eof]
            $c close
        }
        assert_equal 0 [r exists http]
    }
    test "G23: random bytes crash nothing" {
        expr {srand(20)}
        for {set i 0} {$i < 50} {incr i} {
            set c [client_open [srv port]]
            set bytes ""
            for {set j 0} {$j < 400} {incr j} { append bytes [format %c [expr {int(rand() * 256)}]] }
            catch { $c raw $bytes }
            $c close
        }
        assert_equal PONG [r ping]
    }
    test "a connection that sends and then stops sending is answered" {
        set c [client_open [srv port]]
        $c raw "PING\r\nPING\r\n"
        chan close [$c channel] write
        assert_equal +PONG [$c line]
        assert_equal +PONG [$c line]
        assert [$c eof]
    }
}

start_server {requirepass secret} {
    test "G24: before AUTH nothing but AUTH, HELLO, RESET and QUIT" {
        set c [client_open [srv port]]
        foreach words {ping {vcard x} {info} {shutdown} {client id} {exec}} {
            assert_error "NOAUTH Authentication required." {$c {*}$words}
        }
        assert_error "NOAUTH HELLO must be called*" {$c hello 3}
        assert_error "WRONGPASS*" {$c auth wrong}
        assert_error "WRONGPASS*" {$c auth nobody secret}
        assert_equal OK [$c auth secret]
        assert_equal PONG [$c ping]
        assert_equal RESET [$c reset]
        assert_error "NOAUTH*" {$c ping}
        assert_equal valori [field [$c hello 3 auth default secret] server]
        $c close
    }
    test "unknown commands and arity come before NOAUTH" {
        set c [client_open [srv port]]
        assert_error "ERR unknown command 'foo'" {$c foo}
        assert_error "ERR wrong number of arguments for 'VCARD' command" {$c vcard}
        assert_error "ERR wrong number of arguments for 'client|id' command" {$c client id extra}
        $c close
    }
    test "G22: strangers may send little" {
        set c [client_open [srv port]]
        $c raw "*11\r\n"
        assert_equal "-ERR Protocol error: unauthenticated multibulk length" [$c line]
        assert [$c eof]
        $c close
        set c [client_open [srv port]]
        $c raw "*2\r\n\$4\r\nAUTH\r\n\$16385\r\n"
        assert_equal "-ERR Protocol error: unauthenticated bulk length" [$c line]
        $c close
    }
}

start_server {} {
    test "AUTH without a password says so" {
        assert_error "ERR AUTH <password> called without any password configured*" {r auth x}
    }
}
