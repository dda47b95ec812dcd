# MULTI and EXEC: one entry for all writes, answers in order, errors where Redis has them.

start_server {enable-debug-command local} {
    test "queued commands run together and are one entry" {
        assert_equal OK [r multi]
        foreach words {
            {vcreate t dim 2 metric l2} {vadd t values 2 1 1 x tag 5} {vcard t}
            {vadd t values 2 1 1 x} {vsim t values 2 1 2 withscores} {vtag t x} {vtag t x 6} {vtag t x}
            {vsetattr t x note} {vgetattr t x} {vrem t nobody} {ping} {echo hi}
        } { assert_equal QUEUED [r {*}$words] }
        assert_equal {OK 1 1 0 {x 1} 5 1 6 1 note 0 PONG hi} [r exec]
    }
    test "its writes are one entry, and reads alone none" {
        set before [field [r proof.state] log_size]
        r multi
        for {set i 0} {$i < 100} {incr i} { r vadd t values 2 $i 1 e$i }
        assert_equal [lrepeat 100 1] [r exec]
        assert_equal [expr {$before + 1}] [field [r proof.state] log_size]
        r multi
        r vcard t
        r dbsize
        assert_equal {101 1} [r exec]
        assert_equal [expr {$before + 1}] [field [r proof.state] log_size]
    }
    test "what its state refuses is an error at its place, and the others happen" {
        r multi
        foreach words {
            {vadd t values 3 1 1 1 y} {vadd t values 2 1 foo y} {vcreate t dim 5}
            {vadd t values 2 7 7 y} {vrem t y} {vcard t}
        } { r {*}$words }
        r vmadd t fp32 [fp32 1 2 3] elements 1 z
        set wanted [list \
            "(error) ERR Vector dimension mismatch - got 3 but set has 2" \
            "(error) ERR invalid vector specification" \
            "(error) ERR key already exists" 1 1 101 \
            "(error) ERR Vector dimension mismatch - got 3 but set has 2"]
        assert_equal $wanted [r exec]
    }
    test "metrics follow the queue: DEL, FLUSH and VCREATE before a VADD" {
        r multi
        foreach words {
            {del t} {vadd t values 2 300 400 a} {vsim t values 2 3 4 withscores}
            {flushall} {vcreate t dim 2 metric ip} {vadd t values 2 3 4 a} {vsim t values 2 1 1 withscores}
            {select 2} {vadd t values 2 300 400 b} {vsim t values 2 3 4 withscores} {select 0} {dbsize}
        } { r {*}$words }
        assert_equal {1 1 {a 1} OK OK 1 {a 7} OK 1 {b 1} OK 1} [r exec]
        assert_equal OK [r debug verify]
    }
    test "a queued error does not run: EXECABORT" {
        foreach bad {{nosuch} {vadd t} {client id extra} {client nosuch} {proof.state}} {
            r multi
            r vadd t values 2 1 1 never
            catch {r {*}$bad}
            assert_error "EXECABORT Transaction discarded because of previous errors." {r exec}
            assert_equal 0 [r vismember t never]
        }
    }
    test "EXEC, DISCARD and MULTI out of place" {
        assert_error "ERR EXEC without MULTI" {r exec}
        assert_error "ERR DISCARD without MULTI" {r discard}
        r multi
        assert_error "ERR MULTI calls can not be nested" {r multi}
        r vadd t values 2 1 1 never
        assert_equal OK [r discard]
        assert_equal 0 [r vismember t never]
        r multi
        assert_equal {} [r exec]
    }
    test "VMADD inside: all or nothing of its own" {
        r multi
        r vmadd w fp32 [fp32 1 2 3 4] elements 2 a b
        r vmadd w fp32 [fp32 1 2 3 4 5 6] elements 2 c d
        r vmadd w fp32 [fp32 1 2 3 4] elements 2 b c
        assert_equal {2 {(error) ERR Vector dimension mismatch - got 3 but set has 2} 1} [r exec]
        assert_equal 3 [r vcard w]
        r multi
        r vmadd w fp32 [fp32 1 2 3] elements 1 d
        r vcard w
        assert_equal {{(error) ERR Vector dimension mismatch - got 3 but set has 2} 3} [r exec]
    }
    test "a client that leaves inside MULTI leaves nothing" {
        set c [client_open [srv port]]
        $c multi
        $c vadd t values 2 1 1 never
        $c close
        assert_equal 0 [r vismember t never]
    }
    test "10,000 commands in one transaction" {
        r vcreate many dim 2 index flat ;# verify.py follows a graph slowly
        set bytes [client_encode multi]
        for {set i 0} {$i < 10000} {incr i} { append bytes [client_encode [list vadd many values 2 $i 1 e$i]] }
        append bytes [client_encode exec]
        set c [client_open [srv port]]
        $c raw $bytes
        assert_equal OK [$c read]
        for {set i 0} {$i < 10000} {incr i} { $c read }
        assert_equal 10000 [llength [$c read]]
        $c close
        assert_equal 10000 [r vcard many]
        assert_equal OK [r debug verify]
    }
    # Watches `keys`, has `words` run by another client, and gives what EXEC says.
    proc exec_after {keys words} {
        if {[llength $keys]} { r watch {*}$keys }
        set c [client_open [srv port]]
        foreach command $words { catch {$c {*}$command} }
        $c close
        r multi
        r ping
        r exec
    }
    test "WATCH: EXEC does nothing when a watched key has changed" {
        r mset a 1 b 2
        r vadd x values 2 1 1 e
        foreach words {
            {{set a 3}} {{incr a}} {{del a}} {{set a 1}} {{del a} {set a 1}} {{rename a z} {rename z a}}
            {{rename b a} {set b 2}} {{vadd x values 2 1 1 e}} {{vsetattr x e n}} {{vtag x e 1}}
            {{vrem x e}} {{vadd x values 2 1 1 e}} {{flushdb}} {{mset a 1 b 2}} {{flushall}}
            {{set a 1}} {{select 0} {multi} {set a 2} {exec}} {{set nobody 1}}
            {{del nobody} {set nobody 1} {flushall}}
        } { assert_equal (nil) [exec_after {a x nobody} $words] }
    }
    test "WATCH: what leaves the watched keys alone does not disturb EXEC" {
        r flushall
        r mset a 1 b 2
        foreach words {
            {} {{set b 3}} {{get a}} {{set a 2 nx}} {{renamenx a b}} {{rename a a}} {{del nobody}}
            {{select 1} {set a 5} {flushdb} {select 0}} {{vrem a e}} {{incr nobody2} {del nobody2}}
            {{rename nobody a}}
        } { assert_equal PONG [exec_after {a nobody} $words] }
        r proof.state sync
        assert_equal PONG [exec_after a {}]
    }
    test "WATCH: own writes count, and each database is its own" {
        r watch a
        r set a 9
        r multi
        assert_equal (nil) [r exec]
        r select 1
        r watch a
        r select 0
        r set a 10
        r multi
        assert_equal {} [r exec]
        r select 1
        r watch a
        r set a 1
        r multi
        assert_equal (nil) [r exec]
        r select 0
    }
    test "WATCH ends with EXEC, DISCARD, UNWATCH and RESET" {
        foreach end {{{multi} {exec}} {{multi} {discard}} {unwatch} {{multi} {unwatch} {exec}} {reset}} {
            r watch a
            foreach words $end { r {*}$words }
            r set a [incr value]
            r multi
            r ping
            assert_equal PONG [r exec]
        }
        r watch a b
        assert_match "* watch=2 *" [r client info]
        r unwatch
        assert_match "* watch=0 *" [r client info]
    }
    test "WATCH inside MULTI is not allowed, and many keys are bounded" {
        r multi
        assert_error "ERR WATCH inside MULTI is not allowed" {r watch a}
        r set a 1
        assert_equal OK [r exec]
        for {set i 0} {$i < 3000} {incr i} { lappend many w$i }
        assert_equal OK [r watch {*}$many]
        assert_equal (nil) [exec_after {} {{set w2999 1}}]
    }
    test "after a crash, all of it or none" {
        set content [r proof.content]
        set state [r proof.state sync]
        kill_server
        resume_server
        assert_equal $state [r proof.state]
        assert_equal $content [r proof.content]
    }
}
