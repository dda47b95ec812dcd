# FILTER in VSIM and VSEARCH: what Redis answers, in both protocols, and our own bounds.

start_server {} {
    proc fill {key count} {
        for {set i 0} {$i < $count} {incr i} {
            r vadd $key values 3 [expr {cos($i)}] [expr {sin($i)}] 1 e$i setattr "{\"n\":$i,\"parity\":\"[expr {$i % 2 ? "odd" : "even"}]\",\"list\":\[$i,[expr {$i + 1}]\]}"
        }
    }
    test "elements that match, nearest first" {
        fill f 20
        assert_equal {e4 e2 e0} [lsort -decreasing [r vsim f ele e2 filter {.n <= 4 and .parity == "even"}]]
        assert_equal {e7} [r vsim f ele e2 filter {.n == 7}]
        assert_equal {e6 e7} [lsort [r vsim f ele e2 filter {7 in .list}]]
        assert_equal {} [r vsim f ele e2 filter {.missing or 1}]
        assert_equal 10 [llength [r vsim f ele e2 filter 1]]
        assert_equal {e19 e18} [lsort -decreasing [r vsearch f k 5 ele e2 filter {.n > 17}]]
        assert_equal {e19} [r vsearch f k 5 ele e2 filter {.n > 17} filter {.n > 18}]
    }
    test "elements without attributes match nothing" {
        r vadd f values 3 1 1 1 bare
        assert_equal {e0} [r vsim f ele bare filter {!.n}]
        assert_equal 20 [llength [r vsim f ele bare filter 1 count 100]]
        r vrem f bare
    }
    test "reply shapes with a filter" {
        assert_equal {e7 {{"n":7,"parity":"odd","list":[7,8]}}} [r vsim f ele e7 filter {.n == 7} withattribs]
        assert_equal {e7 1} [r vsim f ele e7 filter {.n == 7} withscores truth]
        set c [client_open [srv port]]
        $c hello 3
        assert_equal {e7 1} [$c vsim f ele e7 withscores filter {.n == 7}]
        $c close
    }
    test "errors name the place" {
        set near "ERR syntax error in FILTER expression near:"
        foreach {expression tail} {
            "1 # 2" "# 2" ".a = 1" " 1" "(1" "(1" "" "" "1 + \[1, x]" "x]" "\"abc" "\"abc" "1 \r\n# 2" "# 2"
        } {
            assert_error "$near [string map {\[ \\\[ ] \\] \\ \\\\} $tail]" [list r vsim f ele e0 filter $expression]
            assert_error "$near [string map {\[ \\\[ ] \\] \\ \\\\} $tail]" [list r vsearch f k 1 ele e0 filter $expression]
        }
        assert_error "ERR syntax error in VSIM command" {r vsim f ele e0 filter}
        assert_error "ERR syntax error in VSEARCH command" {r vsearch f k 1 ele e0 filter}
        assert_error "ERR FILTER expression is too long or too deep" {r vsim f ele e0 filter [string repeat ( 33]1[string repeat ) 33]}
        assert_error "ERR FILTER expression is too long or too deep" {r vsim f ele e0 filter [string repeat " " 65536]1}
        foreach n {0 -1 x 1.5 ""} { assert_error "ERR invalid FILTER-EF" [list r vsim f ele e0 filter 1 filter-ef $n] }
        assert_equal 1 [llength [r vsim f ele e0 filter 1 filter-ef 9223372036854775807 count 1]]
        assert_equal {} [r vsim nokey ele e0 filter "((("]
    }
    test "a budget that is used up is an error, never fewer results" {
        r config set search-budget 50
        assert_error "ERR filter budget exceeded" {r vsim f ele e0 filter {.n > 100}}
        assert_error "ERR filter budget exceeded" {r vsearch f k 3 ele e0 filter {.n > 100} exact}
        assert_equal {} [r vsearch f k 3 ele e0 filter {.n > 100} tag 7]
        r config set search-budget 1000000000
        assert_equal {} [r vsim f ele e0 filter {.n > 100}]
    }
    test "in a transaction" {
        r multi
        r vsetattr f e3 {{"n":1000}}
        r vsim f ele e0 filter {.n > 500}
        r vsim f ele e0 filter {.n >}
        assert_equal {1 e3} [lrange [set replies [r exec]] 0 1]
        assert_match {*syntax error in FILTER expression near: .n >} [lindex $replies 2]
        r vsetattr f e3 {{"n":3}}
    }
    test "walks and scans find the same, and never fewer than there are" {
        expr {srand(11)}
        set vectors {}
        for {set i 0} {$i < 4000} {incr i} {
            set v {}
            for {set j 0} {$j < 8} {incr j} { lappend v [expr {rand() - 0.5}] }
            lappend vectors $v
            r vadd w values 8 {*}$v e$i setattr "{\"i\":$i,\"third\":[expr {$i % 3}],\"near\":[expr {int([lindex $v 0] * 1000)}]}" tag [expr {$i % 5}]
        }
        foreach {filter least} {".i < 4" 40 ".third == 1" 95 ".near > 480" 95 ".near > 300" 95 ".i > 3995" 40 "1" 95 ".third == 5" 0} {
            set found 0
            for {set i 0} {$i < 10} {incr i} {
                set exact [r vsearch w k 10 values 8 {*}[lindex $vectors $i] filter $filter exact]
                set walked [r vsim w values 8 {*}[lindex $vectors $i] filter $filter]
                assert_equal [llength $exact] [llength $walked]
                foreach name $walked { incr found [expr {$name in $exact}] }
            }
            assert {$found >= $least}
        }
    }
    test "tags and an expression together" {
        set query [lindex $vectors 5]
        set both [r vsearch w k 20 values 8 {*}$query tag 2 3 filter {.third == 1} exact withtags]
        assert_equal 20 [llength $both]
        foreach hit $both {
            assert {[lindex $hit 1] in {2 3}}
            assert {[string range [lindex $hit 0] 1 end] % 3 == 1}
        }
        assert_equal $both [r vsearch w k 20 values 8 {*}$query tag 3 2 2 filter {.third == 1} withtags]
        assert_equal {e7} [r vsearch w k 20 values 8 {*}$query tag 2 filter {.i == 7}]
        assert_equal {} [r vsearch w k 20 values 8 {*}$query tag 1 filter {.i == 7}]
    }
    test "FILTER-EF bounds the walk and may give fewer" {
        set few [r vsim w values 8 {*}[lindex $vectors 9] filter {.i < 4} filter-ef 20]
        assert {[llength $few] < 4}
        assert_equal 10 [llength [r vsim w values 8 {*}[lindex $vectors 9] filter {.third == 1} filter-ef 500]]
    }
}
