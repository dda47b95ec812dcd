# PROOF.RECORD, KEY, CARD and SAMPLE: what they say, and that two verifiers that share no code
# with the server accept it, and nothing else.

# What the verifier that `words` name says of the text, with its exit code in front.
proc verdict {words text} {
    set code 0
    if {[catch {exec {*}$words - << $text 2>@1} said options]} {
        set code [lindex [dict get $options -errorcode] 2]
    }
    return "$code $said"
}

proc verifiers {} {
    set list [list [list [file join [file dirname [server_binary]] valori-check] record]]
    if {![catch {exec python3 --version}]} { lappend list {utils/verify_proof.py} }
    return $list
}

proc assert_right {text} {
    foreach verifier [verifiers] { assert_match "0 right: *" [verdict $verifier $text] }
}

proc assert_wrong {text} {
    foreach verifier [verifiers] { assert_match "3 *WRONG: *" [verdict $verifier $text] }
}

start_server {checkpoint-interval 0} {
    test "nothing is proven before anything is written" {
        assert_error "ERR nothing was ever written: there is no SEAL to prove from" \
            {r proof.record k e}
        assert_error "ERR wrong number of arguments for 'proof.record' command" {r proof.record k}
    }
    test "elements that are there" {
        for {set i 0} {$i < 200} {incr i} { r vadd v values 3 $i 1 2 e$i setattr "{\"i\":$i}" }
        r vtag v e7 99
        set reply [r proof.record v e7]
        assert_equal {1 200 200} [list [field $reply present] [field $reply count] \
            [field $reply index]]
        set state [r proof.state]
        assert_equal [list 0 [field $state seal_index] [field $state state_root]] [list \
            [field $state dirty_ops] [field $reply seal_index] [field $reply state_root]]
        assert_equal [field $reply proof] [r proof.record v e7 text]
        assert_right [field $reply proof]
        foreach i {0 1 100 199} { assert_right [r proof.record v e$i text] }
    }
    test "elements and keys that are not there" {
        foreach name {nobody e200 "" "\0\r\n"} {
            set reply [r proof.record v $name]
            assert_equal 0 [field $reply present]
            assert_right [field $reply proof]
        }
        assert_right [r proof.record nokey e text]
        assert_equal 0 [field [r proof.key nokey] present]
        assert_right [r proof.key nokey text]
    }
    test "what was deleted is proven to be gone" {
        assert_right [r proof.record v e3 text]
        r vrem v e3
        set reply [r proof.record v e3]
        assert_equal {0 199} [list [field $reply present] [field $reply count]]
        assert_right [field $reply proof]
    }
    test "keys, strings, counts and samples" {
        r set s value
        assert_right [r proof.key s text]
        assert_right [r proof.record s "" text]
        assert_equal 199 [field [r proof.card v] count]
        assert_right [r proof.card v text]
        foreach rank {0 1 100 198} { assert_right [r proof.sample v $rank text] }
        assert_error "ERR the key has not so many elements" {r proof.sample v 199}
        assert_error "ERR key does not exist" {r proof.sample nokey 0}
        assert_error "WRONGTYPE*" {r proof.sample s 0}
        assert_error "ERR value is not an integer or out of range" {r proof.sample v x}
        assert_error "ERR syntax error" {r proof.key v foo}
    }
    test "a changed proof is refused, and says where" {
        set text [r proof.record v e7 text]
        assert_wrong [string map {"value 200" "value 201"} $text]
        assert_wrong [string map {"record 0" "record 1"} $text]
        assert_wrong [string range $text 0 end-5]
        assert_wrong [regsub {\nside [0-9]+ [^\n]*} $text ""]
        assert_wrong "$text\n\n"
        set said [verdict [lindex [verifiers] 0] [string map {"\nvalue 200" "\nvalue 0200"} $text]]
        assert_match "3 *not a number*(line *, which begins at byte *)*" $said
    }
    test "a proof of something else is not taken for an answer" {
        set check [lindex [verifiers] 0]
        set text [r proof.record v e7 text]
        assert_match "0 *" [verdict [concat $check --of v --element e7] $text]
        assert_match "5 *another element*" [verdict [concat $check --of v --element e8] $text]
        assert_match "5 *another key*" [verdict [concat $check --of w --element e7] $text]
        assert_match "5 *another element*" [verdict [concat $check --element e7] [r proof.key v text]]
    }
    test "the same proof after a restart and after a kill" {
        set text [r proof.record v e7 text]
        restart_server
        assert_equal $text [r proof.record v e7 text]
        kill_server
        resume_server
        assert_equal $text [r proof.record v e7 text]
    }
}

start_server {appendonly no} {
    test "without a log" {
        r vadd v values 2 1 2 e
        assert_right [r proof.record v e text]
    }
}
