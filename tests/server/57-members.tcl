# VRANDMEMBER, VRANGE and REDUCE beyond their shapes.

start_server {} {
    test "VRANDMEMBER: distinct ones, as many as there are" {
        for {set i 0} {$i < 300} {incr i} { r vadd s values 2 1 $i e$i }
        assert_match e* [r vrandmember s]
        foreach count {1 7 299 300 301 9223372036854775807} {
            set drawn [r vrandmember s $count]
            assert_equal [expr {min($count, 300)}] [llength $drawn]
            assert_equal [llength $drawn] [llength [lsort -unique $drawn]]
        }
        assert_equal 300 [llength [r vrandmember s 300]]
        for {set i 0} {$i < 300} {incr i 2} { r vrem s e$i }
        assert_equal 150 [llength [lsort -unique [r vrandmember s 1000]]]
    }
    test "VRANDMEMBER below 0: repeats, bounded" {
        set drawn [r vrandmember s -2000]
        assert_equal 2000 [llength $drawn]
        assert_equal 150 [llength [lsort -unique $drawn]]
        assert_error "ERR COUNT is below -1000000" {r vrandmember s -9223372036854775808}
        assert_error "ERR COUNT is below -1000000" {r vrandmember s -1000001}
    }
    test "VRANGE: the order of bytes, any ends, any count" {
        set names {}
        for {set i 0} {$i < 500} {incr i} {
            lappend names [set name [format %c%c [expr {33 + ($i * 7919) % 90}] [expr {33 + $i / 6}]]$i]
            r vadd o values 2 1 $i $name
        }
        r vadd o values 2 1 1 ""
        set names [lsort [linsert $names 0 ""]]
        assert_equal $names [r vrange o - +]
        assert_equal [lrange $names 0 9] [r vrange o - + 10]
        set middle [lindex $names 250]
        assert_equal [lrange $names 250 259] [r vrange o \[$middle + 10]
        assert_equal [lrange $names 251 end] [r vrange o ($middle + -1]
        assert_equal [lrange $names 0 249] [r vrange o - ($middle]
        set pages {}
        for {set from -} {[llength [set page [r vrange o $from + 37]]]} {set from ([lindex $page end]} { lappend pages {*}$page }
        assert_equal $names $pages
    }
    test "REDUCE: the projection of Redis, the same inside MULTI" {
        r vadd p reduce 3 values 5 1 2 3 4 5 a noquant
        set side [expr {sqrt(5)}]
        foreach got [r vemb p a] wanted [list [expr {15 / $side}] [expr {3 / $side}] [expr {(1 + 2 - 3 - 4 + 5) / $side}]] {
            assert {abs($got - $wanted) < 1e-6}
        }
        r multi
        r vadd p reduce 3 values 5 1 2 3 4 5 b noquant
        r vadd p reduce 3 fp32 [fp32 5 4 3 2 1] c noquant
        r vadd p values 3 1 2 3 d noquant
        assert_match {1 1 *ERR Vector dimension mismatch - got 3 but set has 3*} [r exec]
        assert_equal [r vemb p a] [r vemb p b]
        assert_equal {a 1 b 1} [r vsim p values 5 1 2 3 4 5 withscores count 2]
        assert_equal {a b} [r vsearch p k 2 values 3 {*}[r vemb p a]]
        restart_server
        assert_equal {a 1 b 1} [r vsim p values 5 1 2 3 4 5 withscores count 2]
        assert_equal 5 [field [r vinfo p] projection-input-dim]
    }
    test "the log holds what was projected" { verify_log [srv dir] }
}
