# Deadlines: EXPIRE and its relatives, the words of SET and GETEX, COPY and TOUCH; what the log and
# a restart make of them.

start_server {enable-debug-command local} {
    test "EXPIRE, TTL and PERSIST" {
        assert_equal {-2 -2 -2 -2} [list [r ttl k] [r pttl k] [r expiretime k] [r pexpiretime k]]
        assert_equal {0 0} [list [r expire k 10] [r persist k]]
        r set k v
        assert_equal {-1 -1 0} [list [r ttl k] [r expiretime k] [r persist k]]
        assert_equal 1 [r expire k 100]
        assert_equal 100 [r ttl k]
        assert_equal 1 [expr {[r pttl k] <= 100000 && [r pttl k] > 90000}]
        assert_equal 1 [r pexpireat k 4000000000123]
        assert_equal {4000000000 4000000000123} [list [r expiretime k] [r pexpiretime k]]
        assert_equal 1 [r expireat k 4000000001]
        assert_equal 4000000001000 [r pexpiretime k]
        assert_equal v [r get k]
        assert_equal {1 -1} [list [r persist k] [r ttl k]]
    }
    test "NX, XX, GT and LT" {
        assert_equal 0 [r pexpireat k 4000000000000 xx]
        assert_equal 0 [r pexpireat k 4000000000000 gt]
        assert_equal 0 [r pexpireat k 4000000000000 xx lt]
        assert_equal 1 [r pexpireat k 4000000000000 nx]
        assert_equal 0 [r pexpireat k 4000000000001 nx]
        assert_equal 0 [r pexpireat k 4000000000000 GT]
        assert_equal 0 [r pexpireat k 4000000000000 LT]
        assert_equal 1 [r pexpireat k 4000000000001 gt]
        assert_equal 1 [r pexpireat k 4000000000000 lt xx]
        assert_equal 1 [r pexpireat k 4000000000005 xx]
        assert_equal 4000000000005 [r pexpiretime k]
        r persist k
        assert_equal 1 [r pexpireat k 4000000000000 lt]
        assert_error "ERR NX and XX, GT or LT options at the same time are not compatible" {
            r expire k 1 nx xx
        }
        assert_error "ERR GT and LT options at the same time are not compatible" {
            r expire k 1 gt lt
        }
        assert_error "ERR Unsupported option foo" {r expire k 1 foo}
        assert_error "ERR value is not an integer or out of range" {r expire k 1.5}
        foreach {command number} {expire 9223372036854775807 pexpire 9223372036854775807
                                  expireat 9223372036854776 expire -9223372036854776} {
            assert_error "ERR invalid expire time in '$command' command" {r $command k $number}
        }
        assert_equal 4000000000000 [r pexpiretime k]
    }
    test "a key that is due is gone for every command" {
        foreach command {{get k} {exists k} {strlen k} {ttl k} {type k} {touch k} {mget k} {getdel k}} \
            gone {(nil) 0 0 -2 none 0 (nil) (nil)} {
            r set k v
            assert_equal 1 [r pexpireat k 1]
            assert_equal $gone [r {*}$command]
        }
        r set k 5
        r expire k -1
        assert_equal 1 [r incr k]
        assert_equal -1 [r ttl k]
        r set k v px 1
        wait_for_condition 100 20 {[r exists k] == 0} {fail "it is still there"}
    }
    test "a key that nobody asks for goes too" {
        r flushall
        for {set i 0} {$i < 100} {incr i} {r set k$i v px 1}
        r set stays v
        r set later v ex 1000
        wait_for_condition 100 20 {[r dbsize] == 2} {fail "it is still there"}
        assert_match "*db0:keys=2,expires=1,*" [r info keyspace]
        assert_match "*expired_keys:1*" [r info stats]
    }
    test "SET, SETEX, PSETEX, GETEX" {
        assert_equal OK [r set s v ex 100]
        assert_equal 100 [r ttl s]
        assert_equal OK [r set s w keepttl]
        assert_equal 100 [r ttl s]
        assert_equal w [r set s x get pxat 4000000000000]
        assert_equal 4000000000000 [r pexpiretime s]
        assert_equal OK [r set s y]
        assert_equal -1 [r ttl s]
        assert_equal OK [r setex s 200 z]
        assert_equal 200 [r ttl s]
        assert_equal OK [r psetex s 300000 z]
        assert_equal 300 [r ttl s]
        assert_equal 2 [r append s z]
        assert_equal 300 [r ttl s]
        assert_equal {zz 300} [list [r getex s] [r ttl s]]
        assert_equal {zz 400} [list [r getex s ex 400] [r ttl s]]
        assert_equal {zz 5000000000} [list [r getex s exat 5000000000] [r expiretime s]]
        assert_equal {zz -1} [list [r getex s persist] [r ttl s]]
        assert_equal (nil) [r getex none ex 10]
        assert_equal {zz -1} [list [r getset s a] [r ttl s]]
        foreach words {{ex} {ex 1 px 1} {keepttl ex 1} {ex 1 keepttl}} {
            assert_error "ERR syntax error" {r set s v {*}$words}
        }
        assert_error "ERR syntax error" {r getex s foo}
        assert_error "ERR syntax error" {r getex s ex 1 persist}
        assert_error "ERR invalid expire time in 'set' command" {r set s v ex 0}
        assert_error "ERR invalid expire time in 'setex' command" {r setex s -1 v}
        assert_error "ERR invalid expire time in 'getex' command" {r getex s px 0}
        assert_error "ERR value is not an integer or out of range" {r set s v ex one}
        assert_equal a [r get s]
    }
    test "RENAME takes the deadline along, INCR keeps it, COPY copies it" {
        r set n 1 pxat 4000000000000
        assert_equal 2 [r incr n]
        r rename n m
        assert_equal 4000000000000 [r pexpiretime m]
        assert_equal {1 0 1} [list [r copy m c] [r copy m c] [r copy m c replace]]
        assert_equal {2 4000000000000} [list [r get c] [r pexpiretime c]]
        assert_equal 1 [r copy m m db 3]
        assert_equal 0 [r copy none c]
        assert_error "ERR source and destination objects are the same" {r copy m m}
        assert_error "ERR DB index is out of range" {r copy m c db 99}
        assert_error "ERR syntax error" {r copy m c foo}
        assert_equal 2 [r touch m c none]
    }
    test "collections have deadlines too" {
        r vadd vs values 2 1 0 a
        assert_equal 1 [r expire vs 100]
        r vadd vs values 2 0 1 b
        assert_equal {100 2} [list [r ttl vs] [r vcard vs]]
        assert_error "WRONGTYPE*" {r getex vs}
        assert_error "ERR * is not available in this release" {r copy vs other}
        r pexpire vs 0
        assert_equal {0 0} [list [r vcard vs] [r exists vs]]
    }
    test "in a transaction time stands still, and a watched key that goes ends it" {
        r set t v px 1
        wait_for_condition 100 20 {[r exists t] == 0} {fail "it is still there"}
        r multi
        r set t v
        r expire t 50
        r ttl t
        r persist t
        r expire t 50 xx
        assert_equal {OK 1 50 1 0} [r exec]
        r pexpire t 100
        r watch t
        wait_for_condition 100 20 {[r exists t] == 0} {fail "it is still there"}
        r multi
        r ping
        assert_equal (nil) [r exec]
    }
    test "deadlines are in the log: a restart and the verifier know them" {
        r set d v pxat 4000000000000
        r vadd vd values 2 1 0 a
        r pexpireat vd 4000000000001
        r set gone v px 1
        wait_for_condition 100 20 {[r exists gone] == 0} {fail "it is still there"}
        r proof.state sync
        assert_equal OK [r debug reload]
        assert_equal {4000000000000 4000000000001} [list [r pexpiretime d] [r pexpiretime vd]]
        assert_equal 0 [r exists gone]
    }
}
