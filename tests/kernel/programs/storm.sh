# storm.sh N [FILE]: N double-forked orphans that end at once, as fast as a shell can, once FILE is there;
# says "ready" after the last one and stays.
while [ -n "$2" ] && [ ! -e "$2" ]; do
    sleep 0.02
done
i=0
while [ "$i" -lt "$1" ]; do
    ( : & )
    i=$((i + 1))
done
echo ready
exec sleep 100000
