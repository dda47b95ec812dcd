# Search: exact, in order, ties by name, scores as Redis defines them.

start_server {} {
    test "cosine: a vector with itself is exactly 1, with its opposite 0, with zero 0.5" {
        r vadd s values 3 0.1 0.2 0.7 a
        r vadd s values 3 -0.1 -0.2 -0.7 b
        r vadd s values 3 0 0 0 zero
        r vadd s values 3 0.2 0.4 1.4 twice
        assert_equal {a 1 twice 1 zero 0.5 b 0} [r vsim s values 3 0.1 0.2 0.7 withscores]
        assert_equal {a 1 twice 1 zero 0.5 b 0} [r vsim s ele a withscores]
        assert_equal {a 0.5 b 0.5 twice 0.5 zero 0.5} [r vsim s ele zero withscores]
    }
    test "EPSILON keeps what is near enough" {
        assert_equal {a twice} [r vsim s ele a epsilon 0.2]
        assert_equal {a twice zero} [r vsim s ele a epsilon 0.5]
    }
    test "VSIM's reply shapes" {
        r vsetattr s a note
        assert_equal {a twice} [r vsim s ele a count 2]
        assert_equal {a note} [r vsim s ele a withattribs count 1]
        assert_equal {a 1 note} [r vsim s ele a withattribs count 1 withscores]
        assert_equal {} [r vsim nokey what ever]
        set c [client_open [srv port]]
        $c hello 3
        assert_equal {a {1 note}} [$c vsim s ele a withscores withattribs count 1]
        $c send vsim nokey ele a withscores
        assert_equal *0 [$c line]
        $c close
    }
    test "TRUTH, NOTHREAD and EF change nothing in a flat collection" {
        assert_equal [r vsim s ele a] [r vsim s ele a truth nothread ef 5]
    }
    test "VSEARCH's reply shapes" {
        r vtag s a 5
        assert_equal {a twice} [r vsearch s k 2 ele a]
        assert_equal {{a 1 note 5} {twice 1 (nil) (nil)}} [r vsearch s k 2 ele a withtags withscores withattribs]
        assert_equal {{a 5}} [r vsearch s k 1 ele a exact withtags]
        assert_equal {} [r vsearch nokey k 3 ele a]
    }
    test "k above the number of elements gives all of them" {
        assert_equal 4 [llength [r vsearch s k 9223372036854775807 ele a]]
        assert_equal 4 [llength [r vsim s ele a count 9223372036854775807]]
    }
    test "equal distances are in order of name, whatever order they came in" {
        foreach name {d a c b "a\0" ""} { r vadd ties values 2 1 1 $name }
        assert_equal [list "" a "a\0" b c d] [r vsim ties values 2 1 1]
        assert_equal [list "" a "a\0"] [r vsearch ties k 3 values 2 5 5]
    }
    test "L2: squared distances, exact" {
        r vcreate l dim 2 metric l2
        r vadd l values 2 0 0 origin
        r vadd l values 2 3 4 five
        r vadd l values 2 -32768 32767 far
        assert_equal {{origin 0} {five 25}} [r vsearch l k 2 values 2 0 0 withscores]
        assert_equal {{five 2146893865} {origin 2147352578} {far 4294836225}} [r vsearch l k 3 values 2 32767 32767 withscores]
        assert_error "ERR EPSILON needs*" {r vsim l values 2 0 0 epsilon 1}
    }
    test "IP: products, greatest first" {
        r vcreate p dim 2 metric ip
        r vadd p values 2 1 0 one
        r vadd p values 2 2 0 two
        r vadd p values 2 -3 0 minus
        assert_equal {{two 4} {one 2} {minus -6}} [r vsearch p k 3 values 2 2 7 withscores]
    }
    test "exact against brute force, L2, 500 vectors of 20 values, tags" {
        expr {srand(7)}
        r vcreate big dim 20 metric l2
        set vectors {}
        for {set i 0} {$i < 500} {incr i} {
            set vector {}
            for {set j 0} {$j < 20} {incr j} { lappend vector [expr {int(rand() * 9) - 4}] }
            dict set vectors e$i $vector
            r vadd big values 20 {*}$vector e$i tag [expr {$i % 7}]
        }
        foreach query {e0 e17 e499} {
            set all {}
            dict for {name vector} $vectors {
                set distance 0
                foreach x $vector y [dict get $vectors $query] { incr distance [expr {($x - $y) * ($x - $y)}] }
                if {[string range $name 1 end] % 7 in {2 5}} { lappend tagged [list $distance $name] }
                lappend all [list $distance $name]
            }
            set wanted {}
            foreach pair [lrange [lsort -integer -index 0 [lsort -index 1 $all]] 0 24] { lappend wanted [lindex $pair 1] }
            assert_equal $wanted [r vsearch big k 25 ele $query]
            set wanted {}
            foreach pair [lrange [lsort -integer -index 0 [lsort -index 1 $tagged]] 0 24] { lappend wanted [lindex $pair 1] }
            assert_equal $wanted [r vsearch big k 25 ele $query tag 2 5]
            assert_equal $wanted [r vsearch big k 25 ele $query tag 5 tag 2]
            unset tagged
        }
    }
    test "a tag that nobody has finds nobody" {
        assert_equal {} [r vsearch big k 5 ele e0 tag 12345]
    }
    test "a tag may be named twice, and up to 4,096 of them" {
        assert_equal [r vsearch big k 9 ele e0 tag 3] [r vsearch big k 9 ele e0 tag 3 3 tag 3]
        set tags {}
        for {set i 0} {$i < 4096} {incr i} { lappend tags [expr {$i * 7}] }
        assert_equal [r vsearch big k 9 ele e0 tag 0] [r vsearch big k 9 ele e0 tag {*}$tags]
        assert_error "ERR too many tags" {r vsearch big k 9 ele e0 tag {*}$tags 5}
    }
}

# Answers are the same with every level of instructions that this processor has.
set answers {}
foreach level {auto portable sse4.1 avx2 avx512 neon} {
    lassign [run_server [list simd $level dir /nowhere]] code message
    if {[string match "*does not have it*" $message]} continue
    start_server [list simd $level] {
        test "simd $level" {
            if {$level ne "auto"} { assert_equal $level [info_field simd] }
            assert {[info_field simd_codes] in {portable sse4.1 avx2 avx512 neon dotprod}}
            expr {srand(7)}
            for {set i 0} {$i < 100} {incr i} {
                set vector {}
                for {set j 0} {$j < 70} {incr j} { lappend vector [expr {rand() - 0.5}] }
                r vadd unit values 70 {*}$vector e$i
            }
            lappend answers [list [r vsim unit ele e7 withscores count 40] [r vemb unit e9]]
            assert_equal 1 [llength [lsort -unique $answers]]
        }
    }
}
test "simd: a level that this processor lacks, or none at all" {
    foreach level {neon avx2 avx512 sse4.1} {
        lassign [run_server [list simd $level]] code message
        if {$code == 1} break
    }
    assert_equal 1 $code
    assert_match "*simd $level: this processor does not have it*" $message
    lassign [run_server {simd mmx}] code message
    assert_equal 1 $code
}
