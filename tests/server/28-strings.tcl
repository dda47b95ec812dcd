# Strings: SET GET and their relatives, alone, in transactions, beside collections, and after a
# restart.

start_server {enable-debug-command local} {
    test "SET and GET, any bytes and none" {
        assert_equal (nil) [r get s]
        assert_equal OK [r set s value]
        assert_equal value [r get s]
        assert_equal string [r type s]
        set bytes "\0\r\n\xff"
        assert_equal OK [r set $bytes $bytes]
        assert_equal $bytes [r get $bytes]
        assert_equal OK [r set s ""]
        assert_equal "" [r get s]
        assert_equal {1 0} [list [r exists s] [r strlen s]]
        assert_equal 1 [r del $bytes]
    }
    test "NX, XX and GET" {
        assert_equal (nil) [r set n 1 xx]
        assert_equal 0 [r exists n]
        assert_equal OK [r set n 1 nx]
        assert_equal (nil) [r set n 2 nx]
        assert_equal OK [r set n 3 xx]
        assert_equal 3 [r set n 4 get]
        assert_equal 4 [r set n 5 nx get]
        assert_equal 4 [r set n 6 XX GeT]
        assert_equal 6 [r getset n 7]
        assert_equal (nil) [r set fresh 1 get]
        assert_equal (nil) [r getset fresher 1]
        assert_equal {0 1} [list [r setnx n 8] [r setnx m 8]]
        assert_equal 7 [r get n]
        foreach words {{nx xx} {xx nx get} {foo} {get get foo}} {
            assert_error "ERR syntax error" {r set n 9 {*}$words}
        }
        assert_equal 7 [r get n]
    }
    test "GETDEL, APPEND, STRLEN" {
        assert_equal 7 [r getdel n]
        assert_equal (nil) [r getdel n]
        assert_equal 5 [r append n hello]
        assert_equal 11 [r append n " world"]
        assert_equal "hello world" [r get n]
        assert_equal {11 0} [list [r strlen n] [r strlen nobody]]
    }
    test "MSET and MGET" {
        assert_equal OK [r mset a 1 b 2 a 3]
        assert_equal {3 (nil) 2} [r mget a nobody b]
        assert_error "ERR wrong number of arguments for 'mset' command" {r mset a 1 b}
        set before [field [r proof.state sync] log_size]
        set words {}
        for {set i 0} {$i < 600} {incr i} { lappend words m$i $i }
        assert_equal OK [r mset {*}$words]
        assert_equal [expr {$before + 1}] [field [r proof.state] log_size]
        assert_equal 599 [r get m599]
    }
    test "counting" {
        assert_equal {1 11 10 3 -5} [list [r incr c] [r incrby c 10] [r decr c] [r decrby c 7] \
            [r incrby c -8]]
        assert_equal -5 [r get c]
        foreach value {x 1.5 01 -0 " 1" "" 9223372036854775808} {
            r set c $value
            assert_error "ERR value is not an integer or out of range" {r incr c}
            assert_equal $value [r get c]
        }
        r set c 9223372036854775807
        assert_error "ERR increment or decrement would overflow" {r incr c}
        assert_equal 9223372036854775806 [r decr c]
        assert_error "ERR decrement would overflow" {r decrby c -9223372036854775808}
        foreach word {x 1.0 9223372036854775808} {
            assert_error "ERR value is not an integer or out of range" {r incrby c $word}
        }
    }
    test "a collection is no string and a string no collection" {
        r flushall
        r vadd v values 2 1 1 e
        r set s x
        set before [r debug digest]
        foreach words {
            {get v} {strlen v} {incr v} {append v x} {getset v x} {set v x get} {getdel v}
            {set v x nx get}
            {vadd s values 2 1 1 e} {vrem s e} {vcard s} {vdim s} {vemb s e} {vget s e} {vinfo s}
            {vsim s ele e} {vsearch s k 1 ele e} {vsetattr s e x} {vgetattr s e} {vtag s e}
            {vtag s e 1} {vismember s e}
        } {
            assert_error "WRONGTYPE Operation against a key holding the wrong kind of value" \
                {r {*}$words}
        }
        assert_error "ERR key already exists" {r vcreate s dim 2}
        assert_equal {x (nil)} [r mget s v]
        assert_equal $before [r debug digest]
        assert_equal OK [r set v y]
        assert_equal {y string} [list [r get v] [r type v]]
        assert_equal OK [r debug verify]
    }
    test "limits: the value, the key" {
        r flushall
        set great [string repeat x 262144]
        assert_equal OK [r set s $great]
        assert_equal $great [r getset s small]
        assert_error "ERR string exceeds 262144 bytes" {r set s ${great}x}
        assert_error "ERR string exceeds 262144 bytes" {r mset t 1 s ${great}x}
        assert_error "ERR string exceeds 262144 bytes" {r append s $great}
        set key [string repeat k 65537]
        foreach words {{set 1} {incr} {getset 1} {mset 1} {append 1} {setnx 1}} {
            set words [linsert $words 1 $key]
            assert_error "ERR key exceeds 65536 bytes" {r {*}$words}
        }
        assert_equal {small (nil)} [list [r get s] [r get $key]]
        assert_equal 1 [r dbsize]
    }
    test "in a transaction each sees what came before it" {
        r flushall
        r multi
        foreach words {
            {set a 1} {incr a} {get a} {set a x get} {incr a} {getset a 5} {incrby a 5} {strlen a}
            {del a} {incr a} {set a 9 nx} {set a 9 xx get} {mset a 1 b 2} {mget a b} {setnx b 3}
            {vadd a values 2 1 1 e} {vcard a} {set c v} {del c} {vcreate c dim 2 metric l2}
            {vadd c values 2 300 400 e} {vsim c values 2 3 4 withscores} {set c s get} {incr c}
            {get c} {select 1} {set a one} {get a}
        } { assert_equal QUEUED [r {*}$words] }
        set wrong "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
        set no_number "(error) ERR value is not an integer or out of range"
        assert_equal [list OK 2 2 2 $no_number x 10 2 1 1 (nil) 1 OK {1 2} 0 $wrong $wrong OK 1 OK 1 \
            {e 245025} $wrong $wrong $wrong OK OK one] [r exec]
        r select 0
        r multi
        assert_error "ERR Command not allowed inside a transaction" {r append a x}
        r discard
        assert_equal OK [r debug verify]
    }
    test "keyspace hits and misses" {
        set before [list [info_field keyspace_hits] [info_field keyspace_misses]]
        r get b
        r mget a b nobody
        r strlen nobody
        assert_equal [list [expr {[lindex $before 0] + 3}] [expr {[lindex $before 1] + 2}]] \
            [list [info_field keyspace_hits] [info_field keyspace_misses]]
    }
    test "overwriting one key takes no memory" {
        for {set i 0} {$i < 1000} {incr i} { r set one [string repeat x [expr {$i % 100}]] }
        r proof.state sync
        set before [info_field used_memory_dataset]
        for {set i 0} {$i < 5000} {incr i} { r set one [string repeat x [expr {$i % 100}]] }
        r proof.state sync
        assert_equal $before [info_field used_memory_dataset]
    }
}

start_server {} {
    test "G1: strings and names come back after a restart" {
        r set s value
        for {set i 0} {$i < 100} {incr i} { r incr n }
        r multi
        r incr n
        r set t 1
        r exec
        set sealed [field [r proof.state sync] state_root]
        restart_server
        assert_equal {value 101 1} [r mget s n t]
        assert_equal $sealed [field [r proof.state sync] state_root]
    }
}
