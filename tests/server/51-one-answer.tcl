# Every command is answered exactly once, whatever its key holds and its words are: an answer too
# many or too few would give each later command of the connection another's answer.

start_server {} {
    test "one command, one answer, alone and in a transaction" {
        set asked 0
        foreach name [r command list] {
            if {$name in {auth client debug discard exec hello multi quit reset shutdown}} continue
            # Answers by channel, and orders to become something else.
            if {$name in {subscribe psubscribe unsubscribe punsubscribe psync replicaof slaveof}} continue
            foreach key {string collection nobody} {
                foreach words {
                    {} e {e values} {0 count 2} {ele e} {k 1 ele e} {values 2 1 1 e} {values 2 x 1 e}
                    {e withscores} {e e e} {1 2 3 4}
                } {
                    r flushall
                    r set string x
                    r vadd collection values 2 1 2 e
                    set call [list $name $key {*}$words]
                    r send {*}$call
                    catch {r read}
                    assert_equal "after $call" [r echo "after $call"]
                    r multi
                    r send {*}$call
                    set queued [expr {![catch {r read}]}]
                    r send exec
                    set answers {}
                    catch {r read} answers
                    if {$queued} { assert_equal 1 [llength $answers] }
                    assert_equal "then $call" [r echo "then $call"]
                    incr asked
                }
            }
        }
        assert {$asked > 1000}
    }
    test "SHUTDOWN with words that do not go together goes on serving" {
        foreach words {{save nosave} {nosave now save} {abort save} {now abort} foo {now foo}} {
            assert_error "ERR syntax error" {r shutdown {*}$words}
        }
        assert_error "ERR No shutdown in progress." {r shutdown abort}
        assert_equal PONG [r ping]
    }
}
