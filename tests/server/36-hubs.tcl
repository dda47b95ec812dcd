# A node with many edges: they come and go, the others keep theirs, and the roots follow.

start_server {enable-debug-command local} {
    set count 20000
    test "a hub of $count edges in and a few out" {
        for {set first 0} {$first < $count} {incr first 2000} {
            set words {}
            for {set i $first} {$i < $first + 2000} {incr i} {lappend words node n$i}
            if {$first == 0} {lappend words node hub edge hub loops hub edge hub knows n1}
            for {set i $first} {$i < $first + 2000} {incr i} {
                lappend words edge n$i likes hub
                if {$i % 10 == 1} {lappend words edge n$i likes n[expr {$i - 1}]}
            }
            r graph.madd g {*}$words
        }
        assert_equal [list [expr {$count + 1}] [expr {$count + $count / 10 + 2}]] \
            [list [r graph.card g] [r graph.card g edges]]
        assert_equal OK [r debug verify]
    }
    test "its first, middle and last edge go" {
        set sources [r graph.neighbors g hub in type likes]
        assert_equal $count [llength [lsort -unique $sources]]
        foreach source [list [lindex $sources 0] [lindex $sources 10000] [lindex $sources end]] {
            assert_equal 1 [r graph.del g $source likes hub]
            assert_equal 0 [r graph.exists g $source likes hub]
        }
        set page [r graph.neighbors g hub in type likes count 5]
        assert_equal [lrange $sources 1 5] $page
        assert_equal OK [r debug verify]
    }
    test "the hub goes with its edges, while other connections are answered" {
        set c [client_open [srv port]]
        $c raw [client_encode {graph.del g hub}]
        assert_equal PONG [r ping]
        assert_equal 1 [$c read]
        assert_equal 0 [r graph.exists g hub]
        assert_equal [list $count [expr {$count / 10}]] [list [r graph.card g] [r graph.card g edges]]
        assert_equal {} [r graph.neighbors g n5 both]
        assert_equal n10 [r graph.neighbors g n11]
        assert_equal OK [r debug verify]
        set before [r debug digest]
        r debug reload
        assert_equal $before [r debug digest]
        $c close
    }
}
