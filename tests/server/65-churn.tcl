# Clients that come, ask for something long and leave: nothing of theirs stays behind.

start_server {enable-debug-command local appendfsync everysec} {
    test "clients leave in the middle of long commands" {
        expr {srand(65)}
        set flat {vcreate k dim 16 index flat} ;# verify.py follows a graph slowly
        r {*}$flat
        set blob ""
        set names {}
        for {set i 0} {$i < 300} {incr i} {
            append blob [binary format r16 [lrepeat 16 $i]]
            lappend names e$i
        }
        set long [list \
            [client_encode [list vmadd k fp32 $blob elements 300 {*}$names]] \
            [client_encode [list vsearch k k 300 fp32 [string range $blob 64 127] withscores]] \
            [client_encode proof.content] \
            "[client_encode multi][client_encode {del k other}][client_encode $flat][client_encode exec]" \
            "[client_encode multi][string repeat [client_encode {vadd t values 2 1 2 e}] 50][client_encode exec]"]
        for {set round 0} {$round < 150} {incr round} {
            set open {}
            for {set i 0} {$i < 4} {incr i} {
                set c [client_open [srv port]]
                set bytes ""
                for {set j 0} {$j < 4} {incr j} { append bytes [lindex $long [expr {int(rand() * 5)}]] }
                $c raw $bytes
                lappend open $c
            }
            foreach c $open { $c close }
        }
        wait_for_condition 500 10 {[info_field connected_clients] == 1} { complain "somebody is still there" }
        assert {[r vcard k] in {0 300}}
        assert {[r vcard t] in {0 1}}
        assert_equal OK [r debug verify]
    }
}
