# The attacks of the README's table, each performed for real, and what catches it. With ATTACKS=1
# in the environment (make attack) every attack is printed with the message that it meets.

# The words that have to be in what `body` gives are those of the README's row.
proc attack {name words body} {
    test "attack: $name" {
        set said [uplevel 1 $body]
        assert_match "*$words*" $said
        if {[string first "| $name | `$words" [read_file README.md]] < 0} {
            complain "the README has no such row:\n| $name | `$words` |"
        }
        if {[info exists ::env(ATTACKS)]} {
            set line [lsearch -inline [split $said \n] *$words*]
            puts "| $name | `[string range $line [string first $words $line] end]` |"
        }
    }
}

# Another server with the same key and origin, as who holds both could run it.
proc with_the_same_key {body} {
    set key [read_file [file join [srv dir] valori.key]]
    set directory [file join [file dirname [srv dir]] other]
    file delete -force $directory
    file mkdir $directory
    file copy [key] $directory
    write_file [file join $directory valori.key] $key
    file attributes [file join $directory valori.key] -permissions 0600
    start_server [list dir $directory origin example.com/attack] { set said [uplevel 1 $body] }
    return $said
}

proc history {count changed} {
    for {set i 0} {$i < $count} {incr i} { r vadd v values 2 1 [expr {$i == 3 ? $changed : $i}] e$i }
    return [r proof.checkpoint sync]
}

# What a client that has kept `old` says of `new`, with the proof that `from` gives.
proc compare {old new} {
    set a [checkpoint_size $old]
    set b [checkpoint_size $new]
    set proof ""
    if {$a <= $b} { set proof [lines [r proof.consistency $a $b]] }
    return [check consistency [check_file $old] [check_file $new] [check_file $proof] --key [key]]
}

# A copy of the stopped server's directory, to be changed by `body`, and what valori-check says.
proc on_a_copy {body} {
    upvar copy copy
    set copy [file join [file dirname [srv dir]] copy]
    file delete -force $copy
    file copy [srv dir] $copy
    uplevel 1 $body
    return [check log $copy]
}

proc flip {path offset} {
    set bytes [read_file $path]
    binary scan [string index $bytes $offset] cu byte
    write_file $path [string replace $bytes $offset $offset [binary format c [expr {$byte ^ 1}]]]
}

start_server {origin example.com/attack} {
    set kept [history 20 3]
    set proof [r proof.record v e7 text]
    set absence [r proof.record v nobody text]
    set receipt [r proof.receipt 7]
    stop_server

    attack "one bit of the log changed on the disk" "was acknowledged" {
        on_a_copy { flip [file join $copy valori-00000001.log] 1500 }
    }
    attack "the log cut off at its end" "was acknowledged" {
        on_a_copy {
            set path [file join $copy valori-00000001.log]
            write_file $path [string range [read_file $path] 0 3000]
        }
    }
    attack "an entry edited, all hashes made anew, signed with the key" \
        "the newer log does not begin with the older one: two histories" {
        with_the_same_key { compare $kept [history 25 77] }
    }
    attack "an entry inserted, all hashes made anew, signed with the key" \
        "the newer log does not begin with the older one: two histories" {
        with_the_same_key { r vadd v values 2 0 0 more; compare $kept [history 25 3] }
    }
    attack "an entry deleted, all hashes made anew, signed with the key" \
        "the newer log does not begin with the older one: two histories" {
        with_the_same_key {
            for {set i 1} {$i < 25} {incr i} { r vadd v values 2 1 $i e$i }
            compare $kept [r proof.checkpoint sync]
        }
    }
    attack "two histories of one length, shown to two clients" \
        "the newer log does not begin with the older one: two histories" {
        with_the_same_key { compare $kept [history 20 77] }
    }
    attack "an older checkpoint shown as the newest" "the newer checkpoint is of a shorter log: a rollback" {
        with_the_same_key { compare $kept [history 5 3] }
    }
    attack "an old backup restored, and the server goes on signing" \
        "checkpoints are not signed: the log is shorter than the last checkpoint signed" {
        with_the_same_key {
            history 5 3
            stop_server
            set backup [file join [file dirname [srv dir]] backup]
            file delete -force $backup
            file copy [srv dir] $backup
            resume_server
            r vadd v values 2 1 1 later
            r proof.checkpoint sync
            stop_server
            file delete {*}[glob [file join [srv dir] valori-*.log]]
            file copy -force {*}[glob [file join $backup valori-*.log]] [file join $backup valori.head] [srv dir]
            resume_server
            catch {r proof.checkpoint} said
            set said
        }
    }
    attack "a value changed in a proof" "the path of the record does not lead to the object's records" {
        check record [check_file [string map {"\nvalue 7 " "\nvalue 8 "} $proof]] --key [key]
    }
    attack "an element denied with another's absence" \
        "the proof is about another element" {
        check record [check_file $absence] --key [key] --of v --element e7
    }
    attack "an element denied with the question changed" \
        "WRONG: the " {
        set name [binary encode base64 e7]
        check record [check_file [regsub {record 0 (\S+) \S+} $absence "record 0 \\1 $name"]] \
            --key [key] --of v --element e7
    }
    attack "the checkpoint of another state under a proof" \
        "the checkpoint is of another log, or another size, than the proof" {
        with_the_same_key {
            set other [history 20 77]
            set cut [string first "\n\n" $proof]
            check record [check_file "[string range $proof 0 $cut]\n$other"] --key [key]
        }
    }
    attack "a checkpoint signed by somebody else" "no signature goes by the key's name and id" {
        set stranger [file join [file dirname [srv dir]] stranger]
        file mkdir $stranger
        start_server [list dir $stranger origin example.com/attack] {
            set theirs [check_file [history 5 3]]
            set said [check note $theirs --key [file join [file dirname $stranger] data valori.pub]]
        }
        set said
    }
    attack "another author written into a receipt" \
        "the hashes do not lead from the entry to the checkpoint's root" {
        set encoded [lindex [split [lindex [split $receipt \n] 1] " "] 1]
        set entry [binary decode base64 $encoded]
        set forged [string replace $entry 20 51 [string repeat A 32]]
        check receipt [check_file [string map [list $encoded [binary encode base64 $forged]] $receipt]] \
            --key [key]
    }
    attack "a witness's time moved to an earlier one" \
        "the signature that goes by the key's name was not made with that key" {
        if {[catch {exec python3 --version}]} { skip "no python3" }
        set witness tests/server/harness/witness.py
        set name [exec python3 $witness key witness.example]
        set path [check_file $kept]
        exec python3 $witness sign witness.example 1700000000 < $path > $path.line
        set line [read_file $path.line]
        set encoded [lindex [split [string trim $line] " "] end]
        set bytes [string replace [binary decode base64 $encoded] 4 11 [binary format W 1600000000]]
        set line [string map [list $encoded [binary encode base64 $bytes]] $line]
        check note [check_file $kept$line] --key [key] --witness $name
    }
    resume_server
}

start_server {enable-debug-command local} {
    attack "the state swapped under an honest log" \
        "the state root recomputed from the entries is not the one sealed" {
        r set honest 1
        stop_server
        set honest [file join [file dirname [srv dir]] honest]
        file copy [srv dir] $honest
        resume_server
        r debug diverge phantom
        r set other 1
        r proof.state sync
        stop_server
        set said [on_a_copy {}]
        file delete -force [srv dir]
        file rename $honest [srv dir]
        resume_server
        set said
    }
}

start_server {enable-debug-command local seal-interval-ms 20} {
    start_server {enable-debug-command local seal-interval-ms 20} {
        attack "a replica whose state is another one" "DIVERGED replica state differs from primary" {
            at_server 0 { r set a 1 }
            follow_server 1 0
            wait_for_replica 1 0
            r debug diverge phantom
            at_server 0 { r set b 2; r proof.state sync }
            wait_for_condition 500 10 {[info_field replica_state] eq "diverged"} { complain "not diverged" }
            catch {r get a} said
            set said
        }
    }
}
