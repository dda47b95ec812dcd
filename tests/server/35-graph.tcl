# Graphs: what their commands answer, alone, in transactions, and after a restart.

# All pages of a command with a cursor behind its own words.
proc pages {args} {
    set cursor 0
    set all {}
    while 1 {
        lassign [r {*}$args cursor $cursor] cursor page
        lappend all {*}$page
        if {$cursor == 0} {return $all}
    }
}

start_server {enable-debug-command local} {
    test "GRAPH.NODE sets, GRAPH.GET shows" {
        assert_equal 1 [r graph.node g ada kind person props {{"born":1815}}]
        assert_equal 0 [r graph.node g ada element vectors ada]
        assert_equal {node ada kind person props {{"born":1815}} element {vectors ada} out 0 in 0} \
            [lrange [r graph.get g ada] 0 11]
        assert_equal graph [r type g]
        assert_equal 0 [r graph.node g ada kind "" props "" noelement]
        assert_equal {kind (nil) props (nil) element (nil)} [lrange [r graph.get g ada] 2 7]
        assert_equal (nil) [r graph.get g bob]
        assert_equal (nil) [r graph.get nobody bob]
    }
    test "NX and XX" {
        assert_equal 0 [r graph.node g bob kind person xx]
        assert_equal 0 [r graph.exists g bob]
        assert_equal 1 [r graph.node g bob nx]
        assert_equal 0 [r graph.node g bob kind person nx]
        assert_equal (nil) [lindex [r graph.get g bob] 3]
        assert_error "ERR XX and NX*" {r graph.node g bob nx xx}
    }
    test "GRAPH.EDGE joins nodes that are there, once for each type" {
        assert_equal 1 [r graph.edge g ada knows bob weight 0.5 props {{"since":1833}}]
        assert_equal 0 [r graph.edge g ada knows bob weight 0.25]
        assert_equal 1 [r graph.edge g ada teaches bob]
        assert_equal 1 [r graph.edge g bob knows bob]
        assert_equal {source ada type knows destination bob weight 0.25 props {{"since":1833}}} \
            [lrange [r graph.get g ada knows bob] 0 9]
        assert_equal (nil) [lindex [r graph.get g ada teaches bob] 7]
        assert_equal {2 3} [list [r graph.card g] [r graph.card g edges]]
        assert_error "ERR no such node" {r graph.edge g ada knows carl}
        assert_error "ERR no such node" {r graph.edge g carl knows ada}
        assert_error "ERR key does not exist" {r graph.edge nobody a b c}
        assert_equal {1 0 0} [list [r graph.exists g ada knows bob] \
            [r graph.exists g bob knows ada] [r graph.exists g ada hates bob]]
        assert_equal 0 [r graph.edge g ada hates bob xx]
        assert_equal 0 [r graph.exists g ada hates bob]
    }
    test "GRAPH.DEL takes an edge, or a node with all its edges" {
        assert_equal 1 [r graph.del g ada teaches bob]
        assert_equal 0 [r graph.del g ada teaches bob]
        assert_equal 1 [r graph.del g bob]
        assert_equal {1 0} [list [r graph.card g] [r graph.card g edges]]
        assert_equal {} [r graph.neighbors g ada both]
        assert_equal 1 [r graph.node g bob]
        assert_equal 1 [r graph.edge g ada knows bob]
        assert_equal 0 [r graph.del g carl]
        assert_equal 0 [r graph.del nobody carl]
        assert_equal {1 1} [list [r graph.del g ada] [r graph.del g bob]]
        assert_equal 0 [r exists g]
    }
    test "Refusals" {
        foreach {error words} {
            "ERR syntax*" {graph.node g a kind}
            "ERR syntax*" {graph.node g a element v}
            "ERR syntax*" {graph.node g a weight 1}
            "ERR syntax*" {graph.node g a noelement element v e}
            "ERR syntax*" {graph.edge g a t b kind k}
            "ERR weight*" {graph.edge g a t b weight 40000}
            "ERR weight*" {graph.edge g a t b weight x}
            "ERR an edge's type*" {graph.edge g a "" b}
            "ERR syntax*" {graph.create g capacity 1 foo 2}
            "ERR value*" {graph.create g capacity 0}
            "ERR value*" {graph.neighbors g a count 0}
            "ERR value*" {graph.walk g a depth -1}
            "ERR syntax*" {graph.walk g a both type}
            "ERR syntax*" {graph.walk g a both both}
            "ERR value*" {graph.walk g a depth 1 limit 1000001}
            "ERR syntax*" {graph.path g a b by luck}
            "ERR wrong number*" {graph.get g a b}
            "ERR wrong number*" {graph.del g a b}
            "ERR invalid cursor" {graph.scan g x}
        } {
            assert_error $error {r {*}$words}
        }
        assert_error "ERR kind or type exceeds 255 bytes" {r graph.node g a kind [string repeat k 256]}
        assert_error "ERR properties exceeds 65536 bytes" {r graph.node g a props [string repeat k 65537]}
        r set s 1
        assert_error "WRONGTYPE*" {r graph.node s a}
        assert_error "WRONGTYPE*" {r graph.walk s a depth 1}
        assert_error "WRONGTYPE*" {r graph.del s a}
        assert_equal 0 [r exists g]
        r graph.node g a
        assert_error "WRONGTYPE*" {r vadd g values 2 1 1 e}
        assert_error "WRONGTYPE*" {r vcard g}
        assert_error "WRONGTYPE*" {r get g}
        r del g
    }
    test "Capacities" {
        assert_equal OK [r graph.create c capacity 2 edges 1]
        assert_error "ERR key already exists" {r graph.create c}
        r graph.node c a
        r graph.node c b
        assert_error "ERR the graph's capacity is reached" {r graph.node c d}
        assert_equal 0 [r graph.node c b kind k]
        r graph.edge c a t b
        assert_error "ERR the graph's capacity is reached" {r graph.edge c b t a}
        r config set max-nodes 2
        assert_error "ERR max-nodes is reached" {r graph.node d a}
        assert_equal 0 [r graph.node c a kind k]
        r config set max-nodes -1 max-edges 1
        r graph.node d a
        assert_error "ERR max-edges is reached" {r graph.edge d a t a}
        r config set max-edges -1
        assert_equal {nodes 2 edges 1 capacity 2 edge-capacity 1} [lrange [r graph.info c] 0 7]
        assert_equal {kinds {k 2} types {t 1}} [lrange [r graph.info c] 10 13]
        r graph.del c a
        r graph.del c b
        assert_equal {1 0} [list [r exists c] [r graph.card c]]
        r del c d
    }
    # A chain of ten, a hub of all even ones, and a heavy short cut.
    for {set i 0} {$i < 10} {incr i} {r graph.node w n$i kind [expr {$i % 2 ? "odd" : "even"}]}
    for {set i 0} {$i < 9} {incr i} {r graph.edge w n$i next n[expr {$i + 1}]}
    for {set i 2} {$i < 10} {incr i 2} {r graph.edge w n0 even n$i weight 20}
    test "GRAPH.NEIGHBORS: directions, types, kinds, pages" {
        assert_equal {n1 n2 n4 n6 n8} [lsort [r graph.neighbors w n0]]
        assert_equal n1 [r graph.neighbors w n0 type next]
        assert_equal {} [r graph.neighbors w n0 in]
        assert_equal {n0 n1} [lsort [r graph.neighbors w n2 in]]
        assert_equal {n0 n1 n3} [lsort [r graph.neighbors w n2 both]]
        assert_equal {n2 n4 n6 n8} [lsort [r graph.neighbors w n0 kind even odd even type even count 9]]
        assert_equal {} [r graph.neighbors w n0 type nothing]
        assert_equal 3 [llength [r graph.neighbors w n0 count 3]]
        assert_equal [r graph.neighbors w n0 both] [pages graph.neighbors w n0 both count 2]
        assert_equal [r graph.neighbors w n2 both] [pages graph.neighbors w n2 both count 1]
        assert_equal {{n3 out next (nil) (nil)}} [r graph.neighbors w n2 withedges]
        assert_equal {{n0 in even 20 (nil)}} [r graph.neighbors w n2 in type even withedges]
        assert_equal (nil) [r graph.neighbors w nobody]
        assert_equal (nil) [r graph.neighbors nobody n0]
    }
    test "GRAPH.WALK: nearest first, bounded" {
        assert_equal {{n5 0} {n6 1} {n7 2}} [r graph.walk w n5 depth 2]
        assert_equal {{n5 0}} [r graph.walk w n5 depth 0]
        assert_equal {0 1 1 1 1 1 2 2 2 2} [lmap reached [r graph.walk w n0 depth 9] {lindex $reached 1}]
        assert_equal {{n5 0} {n6 1}} [r graph.walk w n5 depth 9 limit 2]
        assert_equal 2 [llength [r graph.walk w n0 depth 1 fanout 1]]
        assert_equal {{n3 0} {n2 1} {n1 2} {n0 3}} [r graph.walk w n3 depth 9 in type next]
        assert_equal {{n3 0 (nil)} {n2 1 {n3 in next}}} [r graph.walk w n3 depth 1 in withedges]
        assert_equal {{n0 0} {n1 1}} [r graph.walk w n0 depth 9 kind odd]
        assert_equal (nil) [r graph.walk w nobody depth 1]
    }
    test "GRAPH.PATH: by hops, by weight" {
        assert_equal {n0 n8 n9} [r graph.path w n0 n9]
        assert_equal {n0 n1 n2 n3 n4 n5 n6 n7 n8} [r graph.path w n0 n8 by weight]
        assert_equal {n0 n8} [r graph.path w n0 n8 by weight type even]
        assert_equal {n0 {n1 out next 1} {n2 out next 1}} [r graph.path w n0 n2 by weight withedges]
        assert_equal {n0 {n8 out even 20}} [r graph.path w n0 n8 withedges]
        assert_equal n0 [r graph.path w n0 n0]
        assert_equal (nil) [r graph.path w n9 n0]
        assert_equal {n9 n8 n0} [r graph.path w n9 n0 in]
        assert_equal (nil) [r graph.path w n0 n9 depth 1]
        assert_error "ERR LIMIT*" {r graph.path w n0 n9 limit 3}
        r graph.edge w n0 bad n9 weight -1
        assert_error "ERR an edge on the way has a negative weight" {r graph.path w n0 n9 by weight}
        r graph.del w n0 bad n9
    }
    test "GRAPH.SCAN meets every node once" {
        for {set i 0} {$i < 100} {incr i} {r graph.node many m$i}
        set cursor 0
        set names {}
        while 1 {
            lassign [r graph.scan many $cursor count 7] cursor page
            lappend names {*}$page
            if {$cursor == 0} break
        }
        assert_equal 100 [llength [lsort -unique $names]]
        assert_equal 100 [llength $names]
        assert_equal {m7} [lindex [r graph.scan many 0 count 1000 match m7] 1]
        assert_equal 5 [llength [lindex [r graph.scan w 0 count 1000 kind odd] 1]]
    }
    test "Transactions: one entry, refusals inside" {
        r multi
        r graph.node t a
        r graph.edge t a knows b
        r graph.node t b
        r graph.edge t a knows b
        r graph.del t a
        r graph.card t
        set answers [r exec]
        assert_equal {1 {(error) ERR no such node} 1 1 1 1} $answers
        assert_equal {b} [lindex [r graph.scan t 0] 1]
    }
    test "GRAPH.MADD: all or nothing, in one entry" {
        assert_equal 5 [r graph.madd all node a kind k node b props {{"x":1}} edge a t b \
            edge b t a weight 2 node c element v e edge a t b]
        assert_equal {3 2} [list [r graph.card all] [r graph.card all edges]]
        assert_error "ERR no such node" {r graph.madd all node d edge d t nobody}
        assert_error "ERR no such node" {r graph.madd fresh node z edge a t b node a node b}
        assert_equal {3 0} [list [r graph.card all] [r exists fresh]]
        assert_error "ERR syntax*" {r graph.madd all node d kind}
        assert_error "ERR syntax*" {r graph.madd all node d nx}
        assert_error "ERR syntax*" {r graph.madd all node d edge a t}
        r graph.create tight capacity 2 edges 1
        assert_error "ERR the graph's capacity*" {r graph.madd tight node a node b node c}
        assert_error "ERR the graph's capacity*" {r graph.madd tight node a node b edge a t b edge b t a}
        assert_equal 3 [r graph.madd tight node a node b node a edge a t b]
        assert_error "WRONGTYPE*" {r graph.madd s node a}
        r multi
        r graph.node later a
        r graph.madd later node b edge a t b edge b t nobody
        r graph.madd later node b edge a t b
        assert_equal {1 {(error) ERR no such node} 2} [r exec]
        set words {}
        for {set i 0} {$i < 1000} {incr i} {lappend words node h$i edge h0 t h$i}
        assert_equal 2000 [r graph.madd hub {*}$words]
        assert_equal 1000 [llength [r graph.neighbors hub h0]]
        assert_equal 1 [r graph.del hub h0]
        assert_equal {999 0} [list [r graph.card hub] [r graph.card hub edges]]
    }
    test "verify.py computes the same root" {
        r proof.state sync
        set report [verify_log [srv dir] --json --content]
        set sealed [dict get [r proof.state] state_root]
        assert_equal 1 [string match "*\"state_root\": \"$sealed\"*" $report]
    }
    test "The roots are those of memory, and the state survives" {
        r debug verify
        set before [list [r debug digest] [r graph.info w] [r graph.walk w n0 depth 3 both]]
        r rename w w2
        r rename w2 w
        r debug reload
        assert_equal $before [list [r debug digest] [r graph.info w] [r graph.walk w n0 depth 3 both]]
        r debug verify
    }
}
