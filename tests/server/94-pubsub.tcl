# Channels and patterns, in RESP2 and RESP3, between replies and during them.

start_server {enable-debug-command local} {
    test "SUBSCRIBE, PUBLISH, UNSUBSCRIBE in RESP2" {
        set s [client_open [srv port]]
        assert_equal {subscribe news 1} [$s subscribe news sport]
        assert_equal {subscribe sport 2} [$s read]
        assert_equal {subscribe news 2} [$s subscribe news]
        assert_equal 1 [r publish news hello]
        assert_equal {message news hello} [$s read]
        assert_equal 0 [r publish other hello]
        assert_equal {unsubscribe news 1} [$s unsubscribe news]
        assert_equal 0 [r publish news hello]
        assert_equal {unsubscribe never 1} [$s unsubscribe never]
        assert_equal {unsubscribe sport 0} [$s unsubscribe]
        assert_equal {unsubscribe (nil) 0} [$s unsubscribe]
        assert_equal PONG [$s ping]
    }
    test "patterns" {
        assert_equal {psubscribe n?w* 1} [$s psubscribe n?w*]
        assert_equal {subscribe news 2} [$s subscribe news]
        assert_equal 2 [r publish news a]
        assert_equal {message news a} [$s read]
        assert_equal {pmessage n?w* news a} [$s read]
        assert_equal 1 [r publish newer b]
        assert_equal {pmessage n?w* newer b} [$s read]
        assert_equal {news} [r pubsub channels]
        assert_equal {news} [r pubsub channels n*]
        assert_equal {} [r pubsub channels x*]
        assert_equal {news 1 x 0} [r pubsub numsub news x]
        assert_equal 1 [r pubsub numpat]
        assert_equal 1 [info_field pubsub_channels]
        assert_equal 1 [info_field pubsub_patterns]
        assert_equal 1 [info_field pubsub_clients]
        assert_match "*flags=P *sub=1 psub=1 *" [r client list type pubsub]
        assert_equal {punsubscribe n?w* 1} [$s punsubscribe]
        assert_equal {punsubscribe (nil) 1} [$s punsubscribe]
    }
    test "what a subscriber in RESP2 may ask" {
        assert_error "ERR Can't execute 'get': only (P|S)SUBSCRIBE*" {$s get a}
        assert_equal {pong {}} [$s ping]
        assert_equal {pong x} [$s ping x]
        assert_equal RESET [$s reset]
        assert_equal (nil) [$s get a]
        assert_equal 0 [info_field pubsub_channels]
        assert_error "ERR unknown subcommand 'what'. Try PUBSUB HELP." {r pubsub what}
        r multi
        assert_error "ERR Command not allowed inside a transaction" {r subscribe a}
        r discard
    }
    test "RESP3: pushes beside replies, and never inside one" {
        $s hello 3
        $s send subscribe news
        assert_equal {>3} [$s line]
        foreach want {{$9} subscribe {$4} news :1} { assert_equal $want [$s line] }
        $s send debug sleep 0.05
        assert_equal 1 [r publish news now]
        assert_equal +OK [$s line]
        assert_equal {message news now} [$s read]
        $s send multi
        $s send publish news mine
        $s send set a 1
        $s send exec
        foreach want {+OK +QUEUED +QUEUED *2 :1 +OK} { assert_equal $want [$s line] }
        assert_equal {message news mine} [$s read]
        assert_equal 1 [$s get a]
        $s send publish news own
        assert_equal {message news own} [$s read]
        assert_equal 1 [$s read]
    }
    test "CLIENT KILL TYPE pubsub, and who leaves takes his subscriptions along" {
        set t [client_open [srv port]]
        $t subscribe a
        assert_equal 2 [r client kill type pubsub]
        assert {[$t eof]}
        assert_equal 0 [r publish news x]
        set t [client_open [srv port]]
        $t subscribe a
        $t close
        wait_for_condition 100 10 {[info_field pubsub_clients] == 0} { complain "it stays" }
    }
    test "G21: a subscriber that does not read is closed at its limit" {
        r config set client-output-buffer-limit "pubsub 1mb 0 0"
        set t [client_open [srv port]]
        $t subscribe flood
        set text [string repeat x 100000]
        for {set i 0} {$i < 500 && [r publish flood $text] == 1} {incr i} {}
        assert {$i < 500}
        assert_equal 1 [info_field client_output_buffer_limit_disconnections]
        $t close
    }
    test "a hundred subscribers of a hundred channels" {
        set clients {}
        for {set i 0} {$i < 100} {incr i} {
            set t [client_open [srv port]]
            lappend clients $t
            $t send subscribe all c$i
            $t read
            $t read
        }
        assert_equal 100 [r publish all x]
        assert_equal 1 [r publish c42 y]
        assert_equal {message all x} [[lindex $clients 42] read]
        assert_equal {message c42 y} [[lindex $clients 42] read]
        assert_equal 101 [llength [r pubsub channels]]
        foreach t $clients { $t close }
        wait_for_condition 100 10 {[info_field pubsub_channels] == 0} { complain "some stay" }
    }
}
