# Ten thousand connections: what each costs, and what a flood of strangers costs beside them.

# Children, the server among them, inherit this process's bound on descriptors.
proc need_many_descriptors {} {
    set bound [exec sh -c "ulimit -n"]
    if {$bound ne "unlimited" && $bound < 10100} { skip "ulimit -n is below 10100" }
    foreach name {asan ubsan tsan} {
        if {[string match */$name/* [server_binary]]} { skip "a sanitizer's memory is not the server's" }
    }
}

# Hold `count` connections open, silent, until the returned process is killed.
proc hold_idle {count} {
    set tool [file join [file dirname [server_binary]] valori-benchmark]
    return [exec $tool -p [srv port] -I -c $count --seconds 600 >/dev/null 2>@1 &]
}

proc connections_are {count} {
    wait_for_condition 600 50 {[info_field connected_clients] == $count} {
        complain "[info_field connected_clients] connections, not $count"
    }
}

start_server {} {
    test "10,000 idle clients hold under 10 KB each" {
        need_many_descriptors
        set before [info_field used_memory_rss]
        set holder [hold_idle 9900]
        connections_are 9901
        set each [expr {([info_field used_memory_rss] - $before) / 9900.0}]
        assert {$each < 10000}
        assert {$each > 500}
        exec kill $holder
        connections_are 1
    }
}

# The most that the server ever held in memory, in bytes.
proc peak_memory {} {
    regexp {VmHWM:\s+(\d+) kB} [read_file /proc/[srv pid]/status] all kilobytes
    return [expr {$kilobytes * 1024}]
}

set bodies [list \
    "unread refusals" [string repeat "ping\r\n" 2000] \
    "half requests" "*10\r\n\$16384\r\n[string repeat x 16000]" \
    "lines without end" [string repeat x 60000]]
foreach {what body} $bodies {
    start_server {requirepass secret authentication-timeout 0} {
        r auth secret
        test "G22: a flood of 9,900 strangers stays under 50 MB with all defaults: $what" {
            need_many_descriptors
            r client no-evict on
            set before [info_field used_memory_rss]
            exec [file join $here harness flood.py] [srv port] 9900 40 << $body
            assert {[peak_memory] - $before < 50000000}
            assert {[info_field evicted_unauthenticated_clients] > 0}
        }
    }
}
