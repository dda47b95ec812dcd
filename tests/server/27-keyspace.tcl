# Keys whatever they hold: SCAN KEYS RANDOMKEY RENAME, and VSCAN for elements.

# All names that a walk gives; `words` follow the cursor.
proc scan_all {command words} {
    set cursor 0
    set names {}
    set rounds 0
    while 1 {
        lassign [r {*}$command $cursor {*}$words] cursor found
        lappend names {*}$found
        if {$cursor eq "0"} { return [lsort $names] }
        if {[incr rounds] > 10000} { error "the walk does not end" }
    }
}

start_server {enable-debug-command local} {
    test "an empty database" {
        assert_equal {0 {}} [r scan 0]
        assert_equal {0 {}} [r scan 18446744073709551615]
        assert_equal {} [r keys *]
        assert_equal (nil) [r randomkey]
        assert_equal {0 {}} [r vscan nobody 0]
    }
    set all {}
    for {set i 0} {$i < 500} {incr i} { lappend all key:$i }
    test "SCAN gives every key once, whatever COUNT is" {
        foreach name $all { r set $name x }
        r vadd v:1 values 2 1 1 e
        r select 3
        r set other x
        r select 0
        set all [lsort [concat $all v:1]]
        foreach count {1 2 10 499 501 100000} {
            assert_equal $all [scan_all scan [list count $count]]
        }
        assert_equal $all [scan_all scan {}]
        r select 3
        assert_equal other [scan_all scan {}]
        r select 0
    }
    test "MATCH and TYPE" {
        assert_equal [lsort [lsearch -all -inline $all key:1*]] [scan_all scan {match key:1*}]
        assert_equal v:1 [scan_all scan {TYPE vectorset COUNT 3}]
        assert_equal v:1 [scan_all scan {match v* type vectorset}]
        assert_equal {} [scan_all scan {match v* type string}]
        assert_equal {} [scan_all scan {type list}]
    }
    test "what is there throughout is not missed while others come and go" {
        set cursor 0
        set names {}
        set i 0
        while 1 {
            lassign [r scan $cursor match key:* count 7] cursor found
            lappend names {*}$found
            for {set j 0} {$j < 5} {incr j} { r set more:[incr i] x; r del more:[expr {$i / 2}] }
            if {$cursor eq "0"} break
        }
        assert_equal [lsearch -all -inline $all key:*] [lsort -unique $names]
        assert_equal [llength [lsort -unique $names]] [llength $names]
        foreach name [scan_all scan {match more:*}] { r del $name }
    }
    test "words that SCAN does not take" {
        foreach cursor {x -1 1.5 18446744073709551616 ""} {
            assert_error "ERR invalid cursor" {r scan $cursor}
            assert_error "ERR invalid cursor" {r vscan v:1 $cursor}
        }
        foreach words {{match} {count} {foo 1} {count 0} {count -1}} {
            assert_error "ERR syntax error" {r scan 0 {*}$words}
        }
        assert_error "ERR syntax error" {r vscan v:1 0 type string}
        assert_error "ERR value is not an integer or out of range" {r scan 0 count x}
        assert_error "WRONGTYPE*" {r vscan key:1 0}
    }
    test "KEYS: all, one, and a class" {
        assert_equal $all [lsort [r keys *]]
        assert_equal key:7 [r keys key:7]
        assert_equal {key:70 key:71} [lsort [r keys {key:7[01]}]]
        assert_equal {} [r keys nobody*]
        set name [string repeat k 1024]
        r set $name x
        assert_equal $name [r keys $name]
        assert_equal $name [lindex [r scan 0 match $name count 4096] 1]
        r del $name
    }
    test "a pattern too long is refused, not answered as if nothing matched" {
        set pattern [string repeat * 1025]
        foreach words {keys {scan 0 match} {scan 0 type string match} {vscan v:1 0 match}
            {vscan nobody 0 match} {command list filterby pattern} {config get}} {
            assert_error "ERR pattern is too long" {r {*}$words $pattern}
        }
    }
    test "RANDOMKEY is of this database, and any of it" {
        r select 3
        for {set i 0} {$i < 20} {incr i} { assert_equal other [r randomkey] }
        r select 0
        set seen {}
        for {set i 0} {$i < 300} {incr i} { lappend seen [r randomkey] }
        assert {[llength [lsort -unique $seen]] > 100}
        foreach name $seen { assert {$name in $all} }
    }
    test "VSCAN gives every element once" {
        set names {}
        for {set i 0} {$i < 300} {incr i} { r vadd big values 2 $i 1 e$i; lappend names e$i }
        set names [lsort $names]
        foreach count {1 10 1000} { assert_equal $names [scan_all {vscan big} [list count $count]] }
        assert_equal [lsearch -all -inline $names e29*] [scan_all {vscan big} {match e29*}]
    }
    test "RENAME moves anything, over anything" {
        r flushall
        r vadd v values 2 1 2 e setattr note tag 5
        set before [r vget v e]
        assert_equal OK [r rename v w]
        assert_equal $before [r vget w e]
        assert_equal 0 [r exists v]
        r set s x
        assert_equal OK [r rename w s]
        assert_equal {vectorset 1} [list [r type s] [r dbsize]]
        r set t x
        assert_equal OK [r rename t s]
        assert_equal {x 1} [list [r get s] [r dbsize]]
        assert_equal OK [r rename s s]
        assert_equal x [r get s]
        assert_equal OK [r debug verify]
    }
    test "RENAMENX, and what is not there" {
        r set t y
        assert_equal 0 [r renamenx s t]
        assert_equal 0 [r renamenx s s]
        assert_equal 1 [r renamenx s u]
        assert_equal {x y} [list [r get u] [r get t]]
        assert_error "ERR no such key" {r rename nobody t}
        assert_error "ERR no such key" {r rename nobody nobody}
        assert_error "ERR no such key" {r renamenx nobody t}
        assert_error "ERR no such key" {r renamenx nobody nobody}
        assert_error "ERR key exceeds 65536 bytes" {r rename t [string repeat k 65537]}
    }
    test "MEMORY USAGE grows with what a key holds" {
        r flushall
        assert_equal (nil) [r memory usage nobody]
        r set s x
        set small [r memory usage s]
        r set s [string repeat x 100000]
        assert {[r memory usage s] >= $small + 100000}
        r set s y
        assert_equal $small [r memory usage s]
        r vadd v values 4 1 2 3 4 e
        set one [r memory usage v]
        for {set i 0} {$i < 2000} {incr i} { r vadd v values 4 $i 2 3 4 e$i setattr $i }
        set many [r memory usage v samples 0]
        assert {$many > $one + 2000 * (16 + 16 + 16 + 64)}
        assert {$many < [info_field used_memory_dataset]}
        for {set i 0} {$i < 2000} {incr i} { r vsetattr v e$i [string repeat a 200] }
        assert {[r memory usage v] == $many + 2000 * (256 - 16)}
        assert_error "ERR syntax error" {r memory usage v samples -1}
        assert_error "ERR syntax error" {r memory usage v foo}
        assert_error "ERR value is not an integer or out of range" {r memory usage v samples x}
        assert_error "ERR unknown subcommand 'foo'. Try MEMORY HELP." {r memory foo}
        assert_equal v [r command getkeys memory usage v]
    }
    test "in a transaction RENAME meets what came before it" {
        r flushall
        r multi
        foreach words {
            {set a 1} {rename a b} {get a} {get b} {rename a c} {renamenx b b} {rename b b}
            {vcreate l dim 2 metric l2} {rename l m} {vadd m values 2 300 400 e}
            {vadd l values 2 300 400 e} {vsim m values 2 3 4 withscores}
            {renamenx m b} {renamenx m n} {vcard n} {keys *} {scan 0} {dbsize}
        } { assert_equal QUEUED [r {*}$words] }
        set answers [r exec]
        assert_equal {OK OK (nil) 1 {(error) ERR no such key} 0 OK OK OK 1 1 {e 245025} 0 1 1} \
            [lrange $answers 0 14]
        assert_equal {b l n} [lsort [lindex $answers 15]]
        assert_equal {b l n} [lsort [lindex $answers 16 1]]
        assert_equal 3 [lindex $answers 17]
        assert_equal OK [r debug verify]
    }
}
