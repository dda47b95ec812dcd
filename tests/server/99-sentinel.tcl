# Failover by stock Redis Sentinel: utils/sentinel-set starts a primary, two replicas and three
# Sentinels; the primary is killed while it is written to.

proc sentinel_program {} {
    global env
    if {[info exists env(SENTINEL)]} { return $env(SENTINEL) }
    foreach name {redis-sentinel redis-server} {
        if {[auto_execok $name] ne ""} { return $name }
    }
    return ""
}

proc sentinel_set {args} {
    global root
    return [exec env VALORI_SERVER=[server_binary] [file join $root utils sentinel-set] {*}$args 2>@1]
}

# Ask, with a connection for each question; "" while nobody answers.
proc ask {port args} {
    if {[catch {client_open $port} c]} { return "" }
    if {[catch {$c {*}$args} answer]} { set answer "" }
    $c close
    return $answer
}

proc field_at {port name} {
    if {[regexp "(?:^|\n)${name}:(\[^\r\n\]*)" [ask $port info] -> value]} { return $value }
    return ""
}

proc primary_by {sentinel} {
    return [lindex [ask $sentinel sentinel get-master-addr-by-name mymaster] 1]
}

if {[sentinel_program] eq ""} {
    test "failover by Sentinel" { skip "no redis-sentinel, no redis-server" }
    return
}

set folder [file join [new_directory] set]
set words [sentinel_set start $folder "seal-interval-ms 50" "enable-debug-command local"]
set servers [lrange $words 1 3]
set sentinels [lrange $words 5 7]

test "Sentinels find the replicas and each other" {
    foreach port $sentinels {
        wait_for_condition 400 50 {
            [llength [ask $port sentinel replicas mymaster]] == 2 &&
            [llength [ask $port sentinel sentinels mymaster]] == 2 &&
            [string match "OK 3 *" [ask $port sentinel ckquorum mymaster]]
        } { complain [ask $port info sentinel] }
    }
    foreach port $servers { assert_match "*__sentinel__:hello*" [ask $port pubsub channels] }
    foreach port [lrange $servers 1 2] {
        wait_for_condition 400 10 {[field_at $port master_link_status] eq "up"} { complain "down" }
    }
}

test "G19: the primary is killed under writes; what was acknowledged is on the next one" {
    foreach port $servers { ask $port config set min-replicas-durable 2 }
    set writer [client_open [lindex $servers 0]]
    for {set i 0} {$i < 300} {incr i} { assert_equal OK [$writer set key$i $i] }
    # These are sent and not waited for: each may be answered or not.
    set bytes ""
    for {set i 300} {$i < 1300} {incr i} { append bytes [client_encode [list set key$i $i]] }
    $writer raw $bytes
    for {set i 300} {$i < 500} {incr i} { assert_equal OK [$writer read] }
    exec kill -KILL [string trim [read_file $folder/server0.pid]]
    set acknowledged 500
    while {![catch {$writer read} answer] && $answer eq "OK"} { incr acknowledged }
    $writer close
    set old [lindex $servers 0]
    foreach sentinel $sentinels {
        wait_for_condition 600 20 {[primary_by $sentinel] ni [list $old ""]} { complain "no failover" }
    }
    set new [primary_by [lindex $sentinels 0]]
    assert {$new in [lrange $servers 1 2]}
    wait_for_condition 400 20 {[field_at $new role] eq "master"} { complain "not promoted" }
    set c [client_open $new]
    for {set i 0} {$i < $acknowledged} {incr i} { assert_equal $i [$c get key$i] }
    $c close
}

test "the other replica follows the new primary" {
    set other [expr {[lindex $servers 1] == $new ? [lindex $servers 2] : [lindex $servers 1]}]
    wait_for_condition 600 20 {
        [field_at $other master_port] eq $new && [field_at $other master_link_status] eq "up"
    } { complain [ask $other info replication] }
    set c [client_open $new]
    assert_error "NOREPLICAS *" {$c set more 1}
    $c close
}

test "the old primary comes back as a replica, and writes go on" {
    sentinel_set restart $folder 0
    wait_for_condition 800 50 {
        [field_at $old role] eq "slave" && [field_at $old master_port] eq $new &&
        [field_at $old master_link_status] eq "up"
    } { complain [ask $old info replication] }
    wait_for_condition 400 20 {[ask $new set more 1] eq "OK"} { complain "no write" }
    ask $new proof.state sync
    foreach port [list $old $other] {
        wait_for_condition 400 20 {
            [field_at $port replica_compared_entries] eq [field_at $new log_entries]
        } { complain [ask $port info replication] }
        assert_equal [ask $new proof.state] [ask $port proof.state]
        assert_equal [ask $new debug digest] [ask $port debug digest]
    }
    assert_match "*replicaof 127.0.0.1 $new*" [read_file $folder/server0/valori.conf]
}

test "redis-py finds the primary and the replicas through the Sentinels" {
    if {[catch {exec python3 -c "import redis.sentinel"}]} { skip "no python3-redis" }
    set program {
import sys, redis.sentinel
ports = [("127.0.0.1", int(p)) for p in sys.argv[1:]]
s = redis.sentinel.Sentinel(ports, socket_timeout=5)
m = s.master_for("mymaster")
m.set("by-python", 7)
print(s.discover_master("mymaster")[1], len(s.discover_slaves("mymaster")), m.get("by-python").decode())
}
    wait_for_condition 100 100 {[llength [ask [lindex $sentinels 0] sentinel replicas mymaster]] == 2} {}
    assert_match "$new \[12\] 7" [exec python3 -c $program {*}$sentinels]
}

test "SENTINEL FAILOVER by hand, back to a server that is alive" {
    wait_for_condition 200 100 {[ask [lindex $sentinels 0] sentinel failover mymaster] eq "OK"} {
        complain "refused"
    }
    wait_for_condition 600 20 {[primary_by [lindex $sentinels 0]] ni [list $new ""]} { complain "no failover" }
    set third [primary_by [lindex $sentinels 0]]
    wait_for_condition 600 20 {
        [field_at $new role] eq "slave" && [field_at $new master_port] eq $third &&
        [field_at $new master_link_status] eq "up"
    } { complain [ask $new info replication] }
    assert_equal 299 [ask $third get key299]
}

catch {sentinel_set stop $folder}
foreach n {0 1 2} {
    if {[catch {verify_log $folder/server$n} complaint]} { test_failed "the log of server $n" $complaint }
}
