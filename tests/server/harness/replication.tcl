# Several servers that follow one another.

# Wait until server `index` has all that server `of` has, synced and with equal log roots.
proc wait_for_replica {index of} {
    wait_for_condition 1000 10 {
        [at_server $index {info_field master_link_status}] eq "up" &&
        [at_server $index {info_field log_durable}] == [at_server $of {info_field log_entries}] &&
        [at_server $index {info_field replica_compared_entries}] == [at_server $of {info_field log_entries}]
    } {
        complain "server $index does not follow $of:\n[at_server $index {r info replication}]\n[at_server $of {r info replication}]"
    }
}

# Equal answers to PROOF.STATE, and memory that holds what they say.
proc assert_same_state {a b} {
    assert_equal [at_server $a {r proof.state}] [at_server $b {r proof.state}]
    assert_equal [at_server $a {r debug digest}] [at_server $b {r debug digest}]
    assert_equal OK [at_server $b {r debug verify}]
}

# Server `index` follows server `of`.
proc follow_server {index of args} {
    set port [at_server $of {srv port}]
    # It may be on its way back to where two histories part.
    at_server $index {
        wait_for_condition 1000 10 {[info_field loading] == 0} { complain "it loads for ever" }
    }
    at_server $index [list r replicaof 127.0.0.1 $port {*}$args]
}
