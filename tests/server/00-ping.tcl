# The least: it starts, answers, says who it is, and ends.

start_server {} {
    test "PING" {
        assert_equal PONG [r ping]
        assert_equal hello [r ping hello]
        assert_error "ERR wrong number of arguments for 'ping' command" {r ping a b}
    }
    test "ECHO gives any bytes back" {
        set bytes "a\0b\r\nc\xff"
        assert_equal $bytes [r echo $bytes]
        assert_equal "" [r echo ""]
    }
    test "unknown commands are named with their arguments" {
        assert_error "ERR unknown command 'foo'" {r foo}
        assert_error "ERR unknown command 'foo', with args beginning with: 'bar' 'baz' " {r foo bar baz}
        assert_error "ERR unknown command ''" {r ""}
        assert_match "*unknown command*" [catch {r foo [string repeat x 100000]} message; set message]
        assert {[string length $message] < 400}
    }
    test "TIME is now" {
        assert {abs([lindex [r time] 0] - [clock seconds]) < 5}
    }
    test "SELECT" {
        assert_equal OK [r select 15]
        assert_error "ERR DB index is out of range" {r select 16}
        assert_error "ERR DB index is out of range" {r select -1}
        assert_error "ERR value is not an integer or out of range" {r select x}
        r select 0
    }
    test "QUIT answers and closes; what follows is not run" {
        set c [client_open [srv port]]
        $c raw "QUIT\r\nVADD q VALUES 1 1 a\r\n"
        assert_equal +OK [$c line]
        assert [$c eof]
        assert_equal 0 [r exists q]
        $c close
    }
    test "G27: SHUTDOWN ends with exit code 0" {
        r send shutdown
        lassign [await_end] code err
        assert_equal 0 $code
        assert_equal "" $err
    }
}

test "--version and --help" {
    assert_match "valori-server *.*.*" [exec [server_binary] --version]
    assert_match "*--port*8256*Exit codes*" [exec [server_binary] --help]
}

test "an empty server is small and quick" {
    set before [clock milliseconds]
    start_server {} {
        r ping
        assert {[clock milliseconds] - $before < 500}
        assert {[info_field used_memory_rss] < 24 * 1024 * 1024}
    }
}

foreach what {commands options metrics errors limits conf} path {docs/commands.md docs/options.md docs/metrics.md docs/errors.md docs/limits.md valori.conf} {
    test "$path is what --print-docs $what prints" {
        if {[read_file [file join $root $path]] ne "[exec [server_binary] --print-docs $what]\n"} {
            complain "it differs: write it anew with build/valori-server --print-docs $what > $path"
        }
    }
}
