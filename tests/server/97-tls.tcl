# TLS: who is let in, what strangers hear, and that certificates are read again. The whole suite
# over TLS: tests/server/run --tls.

if {![tls_begin]} {
    test "TLS" { skip "openssl or Tcl's tls is missing" }
    return
}
set tls_port [tls_free_port]

start_server [tls_options $tls_port] {
    test "G25: a client with a certificate is served, in all sizes" {
        set c [client_of_channel [tls_channel $::tls_port]]
        assert_equal PONG [$c ping]
        foreach size {1 100 16383 16384 16385 100000 250000} {
            set value [string repeat x $size]
            assert_equal OK [$c set k $value]
            assert_equal $value [$c get k]
        }
        for {set i 0} {$i < 200} {incr i} { $c send get k }
        for {set i 0} {$i < 200} {incr i} { assert_equal 250000 [string length [$c read]] }
        $c close
    }
    test "G25: without a certificate, or with a stranger's, nobody is" {
        foreach arguments [list [list -certfile [tls_file stranger.pem] -keyfile [tls_file stranger.key]] {}] {
            set channel [::tls::socket -cafile [tls_file ca.pem] {*}$arguments -require 1 127.0.0.1 $::tls_port]
            fconfigure $channel -translation binary -blocking 1
            catch {puts -nonewline $channel "PING\r\n"; flush $channel}
            assert {[catch {read $channel 5} answer] || $answer eq ""}
            catch {close $channel}
        }
    }
    test "G25: plain bytes on the TLS port get nothing" {
        foreach bytes [list "PING\r\n" "*1\r\n\$4\r\nPING\r\n" "GET / HTTP/1.0\r\n\r\n" "\x00"] {
            set channel [socket 127.0.0.1 $::tls_port]
            fconfigure $channel -translation binary
            puts -nonewline $channel $bytes
            flush $channel
            assert_equal "" [read $channel]
            close $channel
        }
        assert_equal PONG [r ping]
    }
    test "certificates are read again at SIGHUP; bad ones are not taken" {
        set good [read_file [tls_file server.pem]]
        write_file [tls_file server.pem] "no certificate"
        exec kill -HUP [srv pid]
        wait_for_condition 200 10 {[string match "*the old certificates stay*" [read_file [srv out]]]} { complain "it says nothing" }
        set c [client_of_channel [tls_channel $::tls_port]]
        assert_equal PONG [$c ping]
        $c close
        write_file [tls_file server.pem] $good
        exec kill -HUP [srv pid]
        wait_for_condition 200 10 {[string match "*certificates were read again*" [read_file [srv out]]]} { complain "it says nothing" }
        set c [client_of_channel [tls_channel $::tls_port]]
        assert_equal PONG [$c ping]
        $c close
    }
}

set tls_port [tls_free_port]
start_server [list {*}[tls_options $tls_port] requirepass secret enable-debug-command yes] {
    start_server [list {*}[tls_options [tls_free_port]] tls-replication yes masterauth secret enable-debug-command yes] {
        test "a replica follows over TLS, and not a primary that a stranger has signed" {
            at_server 0 {r auth secret}
            at_server 0 {for {set i 0} {$i < 500} {incr i} { r vadd v values 2 $i 1 e$i }}
            at_server 0 {r set long [string repeat x 250000]}
            r replicaof 127.0.0.1 $::tls_port
            wait_for_replica 1 0
            at_server 0 {r proof.state sync}
            wait_for_replica 1 0
            assert_same_state 0 1
            r replicaof no one
            write_file [tls_file server.pem.good] [read_file [tls_file server.pem]]
            write_file [tls_file server.key.good] [read_file [tls_file server.key]]
            write_file [tls_file server.pem] [read_file [tls_file stranger.pem]]
            write_file [tls_file server.key] [read_file [tls_file stranger.key]]
            exec kill -HUP [at_server 0 {srv pid}]
            wait_for_condition 200 10 {[string match "*certificates were read again*" [read_file [at_server 0 {srv out}]]]} { complain "it says nothing" }
            r replicaof 127.0.0.1 $::tls_port
            at_server 0 {r set after 1}
            wait_for_condition 300 10 {[info_field master_link_status] eq "down" && [at_server 0 {info_field total_connections_received}] > 3} { complain [r info replication] }
            assert_equal "(nil)" [r get after]
            foreach end {pem key} { file rename -force [tls_file server.$end.good] [tls_file server.$end] }
        }
    }
}

test "a start with half of a configuration is refused" {
    foreach {wrong why} {
        {tls-cert-file /nowhere} "*Failed to load the certificate*"
        {tls-ca-cert-file {}} "*tls-ca-cert-file*"
        {tls-protocols SSLv3} "*tls-protocols*"
        {tls-ciphers NONSENSE} "*Failed to set the ciphers*"
    } {
        lassign [run_server [list {*}[tls_options [tls_free_port]] {*}$wrong dir [new_directory]]] code err
        assert_equal 1 $code
        assert_match $why $err
    }
}
