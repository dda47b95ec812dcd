# The HNSW index: approximate searches, what VLINKS and VINFO show of the graph, and the same graph
# after a restart.

proc random_vector {dim} {
    set vector {}
    for {set i 0} {$i < $dim} {incr i} { lappend vector [expr {int(rand() * 200)}] }
    return $vector
}

# How many of the exact 10 nearest a search with this EF finds, of 20 queries.
proc recall {key dim ef} {
    set found 0
    for {set i 0} {$i < 20} {incr i} {
        set query [random_vector $dim]
        set exact [r vsearch $key k 10 values $dim {*}$query exact]
        foreach name [r vsearch $key k 10 values $dim {*}$query ef $ef] { incr found [expr {$name in $exact}] }
    }
    return $found
}

start_server {} {
    expr {srand(11)}
    test "VCREATE INDEX HNSW, and VINFO of its graph" {
        assert_equal OK [r vcreate h dim 6 metric l2 index hnsw m 5 ef 40]
        assert_equal {hnsw 0 0 0} [list [field [r vinfo h] index] [field [r vinfo h] max-level] \
            [field [r vinfo h] index-dead] [field [r vinfo h] index-repairing]]
        assert_equal {} [r vsearch h k 3 values 6 1 2 3 4 5 6]
        for {set i 0} {$i < 500} {incr i} { r vadd h values 6 {*}[random_vector 6] e$i }
        assert_equal {500 500} [list [field [r vinfo h] size] [field [r vinfo h] hnsw-max-node-uid]]
        assert {[field [r vinfo h] max-level] >= 1}
    }
    test "a walk finds what an exact search does, the more the greater EF" {
        assert {[recall h 6 16] >= 170}
        assert {[recall h 6 30] >= 190}
        assert_equal 200 [recall h 6 500]
    }
    test "an element finds itself, and VSIM takes EF, TRUTH and FILTER-EF" {
        for {set i 0} {$i < 500} {incr i 7} { assert_equal e$i [r vsearch h k 1 ele e$i ef 16] }
        assert_equal [r vsim h ele e3 truth] [r vsim h ele e3 ef 1000 filter-ef 3]
        assert_error "ERR invalid FILTER-EF" {r vsim h ele e3 filter-ef 0}
        assert_error "ERR invalid EF" {r vsim h ele e3 ef 0}
    }
    test "VLINKS: layers from the highest, the nearest first" {
        set layers [r vlinks h e1 withscores]
        set bottom [lindex $layers end]
        set scores [lmap {name score} $bottom {set score}]
        assert {[llength $scores] >= 1 && [llength $scores] <= 10}
        assert_equal [lsort -real $scores] $scores
        assert_equal [lmap {name score} $bottom {set name}] [lindex [r vlinks h e1] end]
        foreach {name score} $bottom {
            assert_equal [list $name $score] [lindex [r vsearch h k 500 ele e1 withscores exact] \
                [lsearch -index 0 [r vsearch h k 500 ele e1 withscores exact] $name]]
        }
        assert_equal (nil) [r vlinks h nobody]
        assert_equal (nil) [r vlinks nokey e1]
        assert_error "ERR wrong number of arguments for 'VLINKS' command" {r vlinks h e1 what}
        r vcreate f dim 2 index flat
        r vadd f values 2 1 2 x
        assert_equal {{}} [r vlinks f x]
        set c [client_open [srv port]]
        $c hello 3
        $c send vlinks h e1 withscores
        assert_match {\**} [$c line]
        assert_match %* [$c line]
        $c close
    }
    test "a removed element is found no more, and its slot serves another" {
        for {set i 0} {$i < 400} {incr i} { r vrem h e$i }
        assert_equal 100 [field [r vinfo h] size]
        foreach name [r vsearch h k 100 values 6 1 2 3 4 5 6 ef 16] { assert {[string range $name 1 end] >= 400} }
        assert_equal 100 [llength [r vsearch h k 200 values 6 1 2 3 4 5 6 ef 16]]
        for {set i 1000} {$i < 1300} {incr i} { r vadd h values 6 {*}[random_vector 6] e$i }
        assert {[recall h 6 25] >= 185}
    }
    test "repair ends, and forgets who is gone" {
        for {set i 0} {$i < 600} {incr i} { r vtag h e1000 $i }
        assert {[field [r vinfo h] index-dead] < 400}
        assert_equal 0 [field [r vinfo h] index-repairing]
    }
    test "updates move an element; equal values leave the graph alone" {
        set links [r vlinks h e1001]
        r vadd h values 6 {*}[r vemb h e1001] e1001 tag 5
        assert_equal $links [r vlinks h e1001]
        r vadd h values 6 199 199 199 199 199 199 e1001
        assert_equal e1001 [r vsearch h k 1 values 6 199 199 199 199 199 199 ef 16]
    }
    test "tags choose among what a walk meets, and among all where it meets too few" {
        r vcreate tagged dim 3 index hnsw metric l2 m 8 ef 40
        for {set i 0} {$i < 1600} {incr i} {
            r vadd tagged values 3 [expr {$i % 40}] [expr {$i / 40}] 0 t$i tag [expr {$i < 200 ? 9 : $i % 2}]
        }
        foreach {tags point} {{0 1} {20 30 0} {0 1} {20 0 0} {1} {3 20 0} {9} {20 30 0} {1 0 9 0} {7 7 0}} {
            set near [r vsearch tagged k 10 values 3 {*}$point tag {*}$tags withscores withtags ef 16]
            set exact [r vsearch tagged k 10 values 3 {*}$point tag {*}$tags withscores withtags exact]
            assert_equal 10 [llength $near]
            foreach hit $near other $exact {
                assert {[lindex $hit 2] in $tags}
                assert_equal [lindex $other 1] [lindex $hit 1]
            }
        }
        assert_equal {} [r vsearch tagged k 10 values 3 1 1 0 tag 2 ef 16]
        r vtag tagged t700 2
        assert_equal t700 [r vsearch tagged k 10 values 3 1 1 0 tag 2 ef 16]
        assert_equal 200 [llength [r vsearch tagged k 300 values 3 1 1 0 tag 9 ef 16]]
    }
    test "all equal, and none left" {
        r vcreate same dim 3 metric ip index hnsw m 4 ef 16
        for {set i 0} {$i < 300} {incr i} { r vadd same values 3 1 2 3 s$i }
        assert_equal 300 [llength [r vsearch same k 300 values 3 1 1 1]]
        assert_equal 5 [llength [r vsearch same k 5 values 3 1 1 1 ef 16]]
        for {set i 0} {$i < 300} {incr i} { r vrem same s$i }
        assert_equal {} [r vsearch same k 5 values 3 1 1 1 ef 16]
        r vadd same values 3 1 2 3 again
        assert_equal again [r vsearch same k 5 values 3 1 1 1 ef 16]
    }
    test "the same graph and root after a restart" {
        set state [r proof.state sync]
        set links {}
        foreach i {450 1000 1100 1299} { lappend links [r vlinks h e$i withscores] }
        set near [r vsearch h k 50 values 6 1 2 3 4 5 6 ef 20]
        restart_server
        assert_equal $state [r proof.state sync]
        set again {}
        foreach i {450 1000 1100 1299} { lappend again [r vlinks h e$i withscores] }
        assert_equal $links $again
        assert_equal $near [r vsearch h k 50 values 6 1 2 3 4 5 6 ef 20]
    }
}
