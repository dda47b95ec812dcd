# Connections that kill, pause and wake each other with pipelines under way: whatever comes of it,
# nothing crashes, nobody gets an answer that is not its own, and the state is whole.

proc next_random {bound} {
    global random_state
    set random_state [expr {($random_state * 1103515245 + 12345) % 2147483648}]
    return [expr {($random_state >> 8) % $bound}]
}

# A pipeline of commands as bytes. Echoes carry the connection's own word.
proc random_pipeline {name} {
    set bytes ""
    for {set i [next_random 12]} {$i >= 0} {incr i -1} {
        switch [next_random 24] {
            0 { set words {client kill type normal skipme no} }
            1 { set words [list client kill id [next_random 3000] skipme no] }
            2 { set words {client kill type normal} }
            3 { set words [list client pause [next_random 30] write] }
            4 { set words [list client pause [next_random 20] all] }
            5 - 6 { set words {client unpause} }
            7 { set words [list client unblock [next_random 3000] error] }
            8 { set words {client reply skip} }
            9 { set words {client reply off} }
            10 { set words {client reply on} }
            11 { set words multi }
            12 - 13 { set words exec }
            14 { set words reset }
            15 { set words {client list} }
            16 { set words quit }
            17 { set words {debug sleep 0.01} }
            18 { set words [list vadd k[next_random 5] values 2 1 [next_random 100] e[next_random 50]] }
            19 { set words [list vrem k[next_random 5] e[next_random 50]] }
            20 { set words [list vsim k[next_random 5] ele e[next_random 50] count 20] }
            21 { set words {flushall} }
            22 { set words [list client no-evict on] }
            default { set words [list echo $name] }
        }
        append bytes [client_encode $words]
    }
    # Now and then the last one is left half said.
    if {[next_random 5] == 0} { set bytes [string range $bytes 0 end-[next_random 10]] }
    return $bytes
}

# Whatever has come so far; the echoes in it must be this connection's.
proc take_replies {name channel} {
    set text ""
    catch { set text [read $channel] }
    foreach word [regexp -all -inline {owner[0-9]+;} $text] {
        if {$word ne $name} { complain "$name got an answer of $word" }
    }
}

proc random_run {seed rounds} {
    global random_state
    set random_state $seed
    set opened 0
    for {set i 0} {$i < $rounds} {incr i} {
        set slot [next_random 12]
        if {![info exists channels($slot)]} {
            set channels($slot) [socket 127.0.0.1 [srv port]]
            fconfigure $channels($slot) -translation binary -blocking 0 -buffering none
            set names($slot) "owner[incr opened];"
        }
        set channel $channels($slot)
        set gone [catch { puts -nonewline $channel [random_pipeline $names($slot)] }]
        take_replies $names($slot) $channel
        if {$gone || [eof $channel] || [next_random 15] == 0} {
            catch { close $channel }
            unset channels($slot)
        }
    }
    foreach slot [array names channels] { catch { close $channels($slot) } }
}

# What is left over of the others may still kill this client too.
proc is_alone {} {
    if {![catch {info_field connected_clients} count]} { return [expr {$count == 1}] }
    drop_client
    return 0
}

start_server {enable-debug-command local appendonly no maxmemory-clients 4mb hz 100} {
    set seeds {1 2 3}
    if {[info exists env(SEED)]} { set seeds $env(SEED) }
    foreach seed $seeds {
        test "killing, pausing and waking at random, SEED=$seed" {
            random_run $seed 2500
            drop_client
            wait_for_condition 500 10 {[is_alone]} { complain "connections are left over" }
            assert_equal PONG [r ping]
            assert_equal OK [r debug verify]
            assert_equal 0 [info_field blocked_clients]
        }
    }
}
