# CLIENT: names, lists, killing, silence and pauses.

proc line_field {line name} {
    if {![regexp "(?:^| )${name}=(\[^ \n\]*)" $line all value]} { error "no $name in $line" }
    return $value
}

start_server {} {
    test "CLIENT INFO has Redis's fields in their order" {
        r client setname me
        set names {}
        foreach word [split [string trim [r client info]] " "] { lappend names [lindex [split $word =] 0] }
        assert_equal [list {*}{id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free
            argv-mem multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver
            io-thread tot-net-in tot-net-out tot-cmds}] $names
        assert_equal 127.0.0.1:[srv port] [line_field [r client info] laddr]
        assert {[line_field [r client info] fd] > 2}
        assert {[line_field [r client info] tot-mem] > 500}
        assert {[line_field [r client info] tot-net-in] > 50}
    }
    test "flags: N, x inside MULTI, e after NO-EVICT, T after NO-TOUCH, b while waiting" {
        set c [client_open [srv port]]
        set id [$c client id]
        assert_equal N [line_field [r client list id $id] flags]
        assert_equal -1 [line_field [r client list id $id] multi]
        $c client no-evict on
        $c client no-touch on
        $c multi
        assert_equal xeT [line_field [r client list id $id] flags]
        $c ping
        assert_equal 1 [line_field [r client list id $id] multi]
        assert {[line_field [r client list id $id] multi-mem] > 0}
        assert_equal RESET [$c reset]
        assert_equal N [line_field [r client list id $id] flags]
        r client pause 10000 write
        $c send del x
        wait_for_condition 100 5 {[line_field [r client list id $id] flags] eq "b"} { complain "not shown" }
        assert_equal 1 [info_field blocked_clients]
        r client unpause
        assert_equal 0 [$c read]
        assert_equal 0 [info_field blocked_clients]
        $c close
    }
    foreach {words error} {
        {kill maxage x} "ERR maxage is not an integer or out of range"
        {kill maxage 0} "ERR maxage should be greater than 0"
        {kill id 0} "ERR client-id should be greater than 0"
        {kill id x} "ERR client-id should be greater than 0"
        {kill type foo} "ERR Unknown client type 'foo'"
        {kill user nobody} "ERR No such user 'nobody'"
        {kill skipme maybe} "ERR syntax error"
        {kill foo bar} "ERR syntax error"
        {kill id 1 type} "ERR syntax error"
        {kill addr} "ERR No such client"
        {list type foo} "ERR Unknown client type 'foo'"
        {list type} "ERR syntax error"
        {list id} "ERR syntax error"
        {list id x} "ERR Invalid client ID"
        {list foo bar} "ERR syntax error"
        {reply foo} "ERR syntax error"
        {pause x} "ERR timeout is not an integer or out of range"
        {pause -1} "ERR timeout is negative"
        {pause 9223372036854775807} "ERR timeout is not an integer or out of range"
        {pause 1 foo} "ERR CLIENT PAUSE mode must be WRITE or ALL"
        {unblock 1 foo} "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
        {pause 1 2 3} "ERR unknown subcommand or wrong number of arguments for 'pause'. Try CLIENT HELP."
        {unblock 1 2 3} "ERR unknown subcommand or wrong number of arguments for 'unblock'. Try CLIENT HELP."
        {setinfo LIB-NAME "a b"} "ERR LIB-NAME cannot contain spaces, newlines or special characters."
        {unblock x} "ERR value is not an integer or out of range"
        {tracking on} "ERR client-side caching is not available in this release"
        {tracking foo} "ERR syntax error"
        {caching yes} "ERR CLIENT CACHING can be called only when*"
        {no-evict foo} "ERR syntax error"
        {no-touch foo} "ERR syntax error"
        {setname "a\nb"} "ERR Client names cannot contain spaces, newlines or special characters."
        {setinfo lib-name "a b"} "ERR lib-name cannot contain spaces, newlines or special characters."
        {foo} "ERR unknown subcommand 'foo'. Try CLIENT HELP."
        {maint_notifications on} "ERR unknown subcommand 'maint_notifications'. Try CLIENT HELP."
    } {
        test "CLIENT $words: $error" { assert_error $error {r client {*}$words} }
    }
    test "what there is nothing of" {
        assert_equal 0 [r client unblock 99]
        assert_equal OK [r client tracking off]
        assert_equal {flags off redirect -1 prefixes {}} [r client trackinginfo]
        assert_equal -1 [r client getredir]
        assert_match "CLIENT <subcommand>*" [lindex [r client help] 0]
    }
    test "CLIENT LIST by type and id" {
        set c [client_open [srv port]]
        set id [$c client id]
        assert_equal "" [r client list type master]
        assert_equal "" [r client list id 0]
        assert_equal "" [r client list type replica]
        assert_equal "" [r client list type pubsub]
        assert_equal 2 [llength [split [string trim [r client list type normal]] "\n"]]
        assert_equal 2 [llength [split [string trim [r client list id $id [r client id] 999]] "\n"]]
        $c close
    }
    test "CLIENT KILL: the old form, and each filter" {
        foreach form {old id addr laddr type user skipme maxage} {
            set c [client_open [srv port]]
            set line [r client list id [$c client id]]
            switch $form {
                old { assert_equal OK [r client kill [line_field $line addr]] }
                id { assert_equal 1 [r client kill id [line_field $line id]] }
                addr { assert_equal 1 [r client kill addr [line_field $line addr]] }
                laddr { assert_equal 1 [r client kill laddr 127.0.0.1:[srv port]] }
                type { assert_equal 1 [r client kill type normal] }
                user { assert_equal 1 [r client kill user default] }
                skipme { assert_equal 1 [r client kill type normal skipme yes] }
                maxage {
                    assert_equal 0 [r client kill maxage 1000]
                    wait_for_condition 300 10 {[line_field [r client list id [$c client id]] age] >= 1} { complain "no age" }
                    assert_equal 1 [r client kill maxage 1]
                }
            }
            assert [$c eof]
            $c close
        }
        assert_equal 0 [r client kill type master]
        assert_equal 0 [r client kill type pubsub skipme no]
        assert_equal 0 [r client kill id 1 laddr 1.2.3.4:5]
    }
    test "who kills itself is answered, and what it sent behind that is not run" {
        foreach words {{kill id %ID skipme no} {kill type normal skipme no} {kill %ADDR}} {
            set c [client_open [srv port]]
            set line [$c client info]
            set words [string map [list %ID [line_field $line id] %ADDR [line_field $line addr]] $words]
            $c raw "[client_encode [list client {*}$words]][client_encode {vadd never values 1 1 a}]"
            assert {[$c line] in {:1 :2 +OK}}
            assert [$c eof]
            $c close
            drop_client
        }
        assert_equal 0 [r exists never]
    }
    test "in a transaction, as Sentinel sends it: the others go, the caller is answered" {
        set c [client_open [srv port]]
        set d [client_open [srv port]]
        $d ping
        $c raw "multi\r\nclient kill type normal\r\nclient kill type pubsub\r\nexec\r\nping\r\n"
        foreach wanted {OK QUEUED QUEUED} { assert_equal $wanted [$c read] }
        assert_equal 0 [lindex [$c read] 1]
        assert_equal PONG [$c read]
        assert [$d eof]
        $c close
        $d close
        drop_client
    }
    test "EXEC with too many words ends the transaction" {
        set c [client_open [srv port]]
        $c multi
        assert_error "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command" {$c exec x}
        assert_error "ERR EXEC without MULTI" {$c exec}
        $c close
    }
    test "CLIENT REPLY: OFF, SKIP and ON" {
        set c [client_open [srv port]]
        $c raw "client reply skip\r\nping a\r\nping b\r\n"
        assert_equal b [$c read]
        $c raw "client reply off\r\nping a\r\nfoo\r\nclient reply skip\r\nvadd quiet values 1 1 a\r\nping b\r\nclient reply on\r\nping c\r\n"
        assert_equal OK [$c read]
        assert_equal c [$c read]
        assert_equal 1 [r vcard quiet]
        $c raw "client reply off\r\nreset\r\nping d\r\n"
        assert_equal RESET [$c read]
        assert_equal d [$c read]
        $c raw "client reply skip\r\nmulti\r\nclient reply skip\r\nvcard quiet\r\nexec\r\nping e\r\n"
        assert_equal QUEUED [$c read]
        $c close
    }
    test "a silent client's protocol error ends it without a word" {
        set c [client_open [srv port]]
        $c raw "client reply off\r\n*1\r\nfoo\r\n"
        assert [$c eof]
        $c close
    }
    test "CLIENT PAUSE WRITE: writes wait, reads do not, and replies come in order" {
        set c [client_open [srv port]]
        r client pause 60000 write
        $c raw "vcard p\r\nvadd p values 1 1 a\r\nvcard p\r\nping\r\n"
        assert_equal 0 [$c read]
        assert [$c waits 50]
        assert_equal 0 [r vcard p]
        r client unpause
        foreach wanted {1 1 PONG} { assert_equal $wanted [$c read] }
        $c close
    }
    test "CLIENT PAUSE WRITE: EXEC waits if it writes, and only then" {
        set c [client_open [srv port]]
        r client pause 60000 write
        $c multi
        $c vcard p
        assert_equal 1 [$c exec]
        $c multi
        assert_equal QUEUED [$c vrem p a]
        $c send exec
        assert [$c waits 50]
        assert_equal 1 [r vcard p]
        r client unpause
        assert_equal 1 [$c read]
        $c close
    }
    test "CLIENT PAUSE ALL: everything waits but UNPAUSE, and the pause ends by itself" {
        set c [client_open [srv port]]
        set d [client_open [srv port]]
        $d ping
        r client pause 60000
        $c raw "ping\r\nping x\r\n"
        assert [$c waits 50]
        assert_equal OK [$d client unpause]
        assert_equal PONG [$c read]
        assert_equal x [$c read]
        set before [clock milliseconds]
        r client pause 200 all
        assert_equal PONG [$c ping]
        assert {[clock milliseconds] - $before >= 190}
        $c close
        $d close
    }
    test "a second pause makes the first neither shorter nor weaker" {
        set c [client_open [srv port]]
        set d [client_open [srv port]]
        $d ping
        r client pause 60000 all
        $c raw "client pause 1 write\r\nping\r\n"
        assert [$c waits 50]
        $d client unpause
        assert_equal OK [$c read]
        assert_equal PONG [$c read]
        r client pause 60000 write
        r client pause 100 write
        $c send vadd p values 1 1 b
        assert [$c waits 200]
        r client unpause
        assert_equal 1 [$c read]
        r client pause 300 write
        r client pause 100 all
        set before [clock milliseconds]
        $c ping
        assert {[clock milliseconds] - $before >= 250}
        $c close
        $d close
    }
    test "killed while it waits for a pause: nothing of it runs" {
        set c [client_open [srv port]]
        set id [$c client id]
        r client pause 60000 write
        $c raw "vadd gone values 1 1 a\r\n"
        wait_for_condition 100 5 {[line_field [r client list id $id] flags] eq "b"} { complain "it does not wait" }
        assert_equal 1 [r client kill id $id]
        r client unpause
        assert_equal 0 [r exists gone]
        $c close
    }
    test "what a paused client sends meanwhile is not read, so it does not grow" {
        set c [client_open [srv port]]
        set id [$c client id]
        r client pause 60000 write
        fconfigure [$c channel] -blocking 0 -buffersize 65536
        $c raw "vadd many values 1 1 a\r\n"
        wait_for_condition 100 5 {[line_field [r client list id $id] flags] eq "b"} { complain "it does not wait" }
        catch { $c raw [string repeat "ping\r\n" 500000] }
        r ping
        assert {[line_field [r client list id $id] qbuf] < 40000}
        r client unpause
        $c close
    }
}

start_server {} {
    test "COMMAND INFO, DOCS, GETKEYS and GETKEYSANDFLAGS" {
        set info [lindex [r command info client|list] 0]
        assert_equal client|list [lindex $info 0]
        assert_equal -2 [lindex $info 1]
        assert_equal {(nil) (nil) (nil)} [r command info foo client|foo foo|list]
        assert_equal vadd [lindex [r command info vadd] 0 0]
        assert_equal {} [r command docs foo client|foo]
        assert_equal client|kill [lindex [r command docs client|kill] 0]
        assert_equal {(nil)} [r command info {}]
        assert_equal {k} [r command getkeys vadd k values 1 1 e]
        assert_equal {a b c} [r command getkeys del a b c]
        assert_equal {{k {RW update}}} [r command getkeysandflags vadd k values 1 1 e]
        assert_equal {{a {RO access}} {b {RO access}}} [r command getkeysandflags exists a b]
        assert_error "ERR Invalid command specified" {r command getkeys foo}
        assert_error "ERR The command has no key arguments" {r command getkeysandflags ping}
        assert_error "ERR Invalid number of arguments specified for command" {r command getkeys vadd}
        assert_error "ERR unknown subcommand 'foo'. Try COMMAND HELP." {r command foo}
    }
    test "INFO counts errors by their first word" {
        assert_error "ERR unknown command*" {r foo}
        assert_error "NOPROTO*" {r hello 9}
        assert {[regexp {count=(\d+)} [info_field errorstat_NOPROTO] all count] && $count == 1}
        assert_match "count=*" [info_field errorstat_ERR]
        assert_match "*# Errorstats*" [r info everything]
        assert_equal "" [info_field errorstat_foo]
    }
    test "INFO tells of connections" {
        r echo [string repeat x 100000]
        wait_for_condition 100 20 {[info_field client_recent_max_input_buffer] > 100000} { complain "not seen" }
        foreach name {connected_clients maxclients client_recent_max_output_buffer blocked_clients
                mem_clients_normal total_net_input_bytes instantaneous_input_kbps evicted_clients
                acl_access_denied_auth client_query_buffer_limit_disconnections} {
            assert {[string is double -strict [info_field $name]]}
        }
    }
}
