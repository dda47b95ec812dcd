# ACL: users and rules, what they deny, and that the log keeps them. The rules themselves are
# tests/unit/server/test_acl_user.c's.

# A call of every command and subcommand whose number of words fits, its keys named `key`.
# Gives {name words} pairs.
proc every_call {} {
    set calls {}
    foreach row [r command] { every_call_of $row {} calls }
    return $calls
}

proc every_call_of {row outer calls_name} {
    upvar $calls_name calls
    lassign $row name arity flags first last step categories tips specs subcommands
    set words [split $name |]
    set count [expr {abs($arity)}]
    while {[llength $words] < $count} { lappend words x }
    if {$outer ne ""} { lassign $outer first last step }
    if {$first > 0} {
        set end [expr {$last < 0 ? [llength $words] - 1 : min($last, [llength $words] - 1)}]
        for {set i $first} {$i <= $end} {incr i $step} { lset words $i key }
    }
    if {[llength $subcommands] == 0} { lappend calls [list $name $words] }
    foreach sub $subcommands { every_call_of $sub [list $first $last $step] calls }
}

proc categories_of {name} { lindex [lindex [r command info $name] 0] 6 }

# Whether `words` name a key.
proc names_key {words} { expr {"key" in $words} }

start_server {requirepass secret authentication-timeout 0} {
    test "every command is refused to a stranger, but those that let one in" {
        r auth secret
        set calls [every_call]
        assert {[llength $calls] > 90}
        set c [client_open [srv port]]
        set answered {}
        foreach call $calls {
            lassign $call name words
            if {$name in {quit hello auth reset}} continue
            if {[catch {$c {*}$words} reply] && [string match "NOAUTH*" $reply]} continue
            lappend answered $name
        }
        assert_equal {} $answered
        $c close
    }
}

start_server {} {
    test "a new user has no right, and each command says so" {
        r acl setuser nobody on nopass
        set c [client_open [srv port]]
        $c auth nobody x
        foreach call [every_call] {
            lassign $call name words
            if {$name in {quit hello auth reset}} continue
            assert_error "NOPERM User nobody has no permissions to run the '$name' command" {$c {*}$words}
        }
        $c close
    }
    test "every command: allowed with all rights, denied with each of its categories, with its key, and by a selector" {
        foreach call [every_call] {
            lassign $call name words
            r acl setuser dry reset on nopass +@all ~* &*
            assert_equal OK [r acl dryrun dry {*}$words]
            if {$name in {quit hello auth reset}} continue
            foreach category [categories_of $name] {
                r acl setuser dry +@all -$category
                assert_equal "User dry has no permissions to run the '$name' command" [r acl dryrun dry {*}$words]
                r acl setuser dry -@all +$category
                assert_equal OK [r acl dryrun dry {*}$words]
            }
            r acl setuser dry -@all +$name
            assert_equal OK [r acl dryrun dry {*}$words]
            r acl setuser dry +@all resetkeys ~other
            if {[names_key $words]} {
                assert_equal "User dry has no permissions to access the 'key' key" [r acl dryrun dry {*}$words]
            } else {
                assert_equal OK [r acl dryrun dry {*}$words]
            }
            r acl setuser dry -@all "(+$name ~key &*)"
            assert_equal OK [r acl dryrun dry {*}$words]
            r acl setuser dry clearselectors "(+@all -$name ~key &*)"
            assert_equal "User dry has no permissions to run the '$name' command" [r acl dryrun dry {*}$words]
        }
    }
}

start_server {} {
    test "rights hold where commands are run: keys, transactions, and after they change" {
        r acl setuser alice on >pw ~a:* +@read +set +multi +exec
        set c [client_open [srv port]]
        assert_equal OK [$c auth alice pw]
        assert_equal OK [$c set a:1 x]
        assert_equal x [$c get a:1]
        assert_error "NOPERM No permissions to access a key" {$c set b:1 x}
        assert_error "NOPERM No permissions to access a key" {$c mget a:1 b:1}
        assert_error "NOPERM User alice has no permissions to run the 'config|get' command" {$c config get port}
        assert_equal "(nil)" [r get b:1]
        $c multi
        assert_error "NOPERM No permissions to access a key" {$c set b:1 x}
        assert_error "EXECABORT*" {$c exec}
        $c multi
        $c set a:2 y
        $c get a:1
        r acl setuser alice -set
        assert_equal {{(error) NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call: this command is no longer allowed} x} [$c exec]
        assert_equal "(nil)" [r get a:2]
        $c close
    }
    test "ACL LOG counts what was denied, the newest first" {
        set events [r acl log]
        assert {[llength $events] >= 3}
        set newest [lindex $events 0]
        assert_equal multi [field $newest context]
        assert_equal {key b:1 alice} [list [field $newest reason] [field $newest object] [field $newest username]]
        set kinds [lmap event $events {field $event reason}]
        assert {"command" in $kinds && "key" in $kinds}
        assert {[info_field acl_access_denied_cmd] >= 1 && [info_field acl_access_denied_key] >= 3}
        assert_equal OK [r acl log reset]
        assert_equal {} [r acl log]
    }
    test "passwords: several, replaced, removed; a disabled user; AUTH by name" {
        r acl setuser bob on >one >two +ping
        foreach word {one two} {
            set c [client_open [srv port]]
            assert_equal OK [$c auth bob $word]
            $c close
        }
        r acl setuser bob <one
        set c [client_open [srv port]]
        assert_error "WRONGPASS*" {$c auth bob one}
        assert_equal OK [$c auth bob two]
        r acl setuser bob off
        assert_equal PONG [$c ping]
        set d [client_open [srv port]]
        assert_error "WRONGPASS*" {$d auth bob two}
        assert_match "*user=bob*" [r client list]
        assert_equal 1 [r acl deluser bob]
        assert [$c eof]
        assert_error "ERR The 'default' user cannot be removed" {r acl deluser default}
        $c close
        $d close
    }
    test "the log keeps users: over a restart, and under the root that verify.py computes" {
        r acl setuser carl on >pw ~x* %R~y* &z* +@all -@dangerous {(+get ~w)}
        r set x 1
        set users_before [r acl list]
        set state_root [field [r proof.state sync] state_root]
        restart_server
        assert_equal $users_before [r acl list]
        assert_equal $state_root [field [r proof.state] state_root]
        set c [client_open [srv port]]
        assert_equal OK [$c auth carl pw]
        assert_error "NOPERM*" {$c config get port}
        verify_log [srv dir]
        r flushall
        assert_equal $users_before [r acl list]
        $c close
    }
    test "default can be shut; who came before stays, who comes after is a stranger" {
        r acl setuser admin on >admin allkeys allcommands
        r acl setuser default off
        set c [client_open [srv port]]
        assert_error "NOAUTH*" {$c ping}
        assert_equal OK [$c auth admin admin]
        assert_equal admin [$c acl whoami]
        r acl setuser default on
        $c close
    }
    test "rules that are none change nothing" {
        set users_before [r acl list]
        assert_error "ERR Error in ACL SETUSER modifier '+foo': Unknown command or category name in ACL" {r acl setuser carl -get +foo}
        assert_error "ERR Unmatched parenthesis in acl selector starting at '(+get'." {r acl setuser carl (+get ~x}
        assert_error "ERR Usernames can't contain spaces or null characters" {r acl setuser "a b"}
        assert_error "ERR User 'zoe' not found" {r acl dryrun zoe get x}
        assert_error "ERR Unknown category 'zoo'" {r acl cat zoo}
        assert_error "ERR ACL GENPASS argument*" {r acl genpass 5000}
        assert_error "ERR This server is not configured to use an ACL file*" {r acl load}
        assert_equal 64 [string length [r acl genpass]]
        assert_equal "(nil)" [r acl getuser zoe]
        assert_equal $users_before [r acl list]
    }
}

start_server {authentication-timeout 0} {
    test "G24: one address gets few guesses a second, over however many connections" {
        set clients {}
        for {set i 0} {$i < 20} {incr i} { lappend clients [client_open [srv port]] }
        r acl setuser default >right
        set wrong 0
        set start [clock milliseconds]
        foreach c $clients { $c send auth default no }
        foreach c $clients { catch {$c read} reply; incr wrong [string match WRONGPASS* $reply] }
        set seconds [expr {([clock milliseconds] - $start) / 1000.0}]
        assert_equal 20 $wrong
        # Ten are free, then ten a second.
        assert {$seconds >= 0.8}
        foreach c $clients { $c close }
    }
}

start_server {} {
    set file [file join [srv dir] users.acl]
    test "aclfile: read at the start, written by SAVE, taken again by LOAD; a bad one ends the start" {
        write_file $file "# users\nuser default on nopass ~* &* +@all\nuser eve on >pw ~e* +@read\n"
        restart_server aclfile $file
        assert_match "*user eve on sanitize-payload #* ~e* resetchannels -@all +@read*" [r acl list]
        set size [field [r proof.state sync] log_size]
        restart_server aclfile $file
        assert_equal $size [field [r proof.state] log_size]
        r acl setuser fay on nopass +ping
        assert_equal OK [r acl save]
        assert_match "*user fay on nopass*" [read_file $file]
        assert_equal 00600 [file attributes $file -permissions]
        r acl deluser fay
        assert_equal OK [r acl load]
        assert_equal {default eve fay} [r acl users]
        write_file $file "user default on nopass ~* &* +@all\nuser gus +foo\n"
        assert_error "ERR *users.acl:2: Unknown command or category name in ACL" {r acl load}
        assert_equal {default eve fay} [r acl users]
    }
}
