# Chains: four servers, wired anew while one is written to, killed and started again.

set options {enable-debug-command local seal-interval-ms 20 log-segment-size 64kb}

proc write_some {tag count} {
    for {set i 0} {$i < $count} {incr i} {
        r vadd k values 3 $i 1 2 $tag$i setattr [string repeat $tag 20]
        if {$i % 11 == 0} { r vmadd many fp32 [fp32 1 2 3 4] elements 2 m$tag$i n$tag$i }
    }
}

start_server $options { start_server $options { start_server $options { start_server $options {
    test "a chain of four has one state" {
        at_server 0 { write_some a 200 }
        foreach {index of} {1 0 2 1 3 2} { follow_server $index $of }
        foreach {index of} {1 0 2 1 3 2} { wait_for_replica $index $of }
        at_server 0 { write_some b 200; r proof.state sync }
        foreach {index of} {1 0 2 1 3 2} { wait_for_replica $index $of }
        foreach index {1 2 3} { assert_same_state 0 $index }
    }
    test "a replica without a link feeds nobody" {
        set port [at_server 1 {srv port}]
        at_server 1 { kill_server }
        wait_for_condition 500 10 {[at_server 2 {info_field master_link_status}] eq "down"} {
            complain "it does not notice"
        }
        restart_server replicaof "127.0.0.1 [at_server 2 {srv port}]"
        wait_for_condition 500 10 {[string match "*NOMASTERLINK*" [info_field replica_link_error]]} {
            complain [r info replication]
        }
        at_server 1 [list resume_server port $port replicaof "127.0.0.1 [at_server 0 {srv port}]"]
        foreach {index of} {1 0 2 1 3 2} { wait_for_replica $index $of }
    }
    test "wired anew at random under writes, with kills, all have one state" {
        set state 12345
        set ports {}
        foreach index {0 1 2 3} { lappend ports [at_server $index {srv port}] }
        for {set round 0} {$round < 12} {incr round} {
            set state [expr {($state * 1103515245 + 12345) % 2147483648}]
            set order [expr {$state / 65536 % 6}]
            foreach {index of} [lindex {
                {1 0 2 0 3 0} {1 0 2 1 3 1} {2 0 1 2 3 2} {3 0 2 3 1 2} {1 0 3 1 2 3} {3 0 1 3 2 1}
            } $order] { follow_server $index $of }
            at_server 0 [list write_some r$round 20]
            set victim [expr {1 + $state / 7 % 3}]
            if {$round % 3 == 2} {
                at_server $victim {
                    set following [r config get replicaof]
                    kill_server
                }
                at_server 0 [list write_some x$round 5]
                at_server $victim [list resume_server port [lindex $ports $victim] \
                    replicaof [lindex $following 1]]
                at_server $victim {
                    wait_for_condition 1000 10 {[info_field loading] == 0} { complain "it loads for ever" }
                }
            }
        }
        foreach index {1 2 3} { follow_server $index 0 }
        at_server 0 { r proof.state sync }
        foreach index {1 2 3} { wait_for_replica $index 0 }
        foreach index {1 2 3} { assert_same_state 0 $index }
        foreach index {1 2 3} { assert_equal synced [at_server $index {info_field replica_state}] }
    }
}}}}
