-- Tells in one word what calendar is stored: the MD5 of its sessions' numbers, in seconds since 1970.
-- Grain: one row; null while no session is stored. Reads: sessions. Writes: -. Binds: -. Money: -. Rerun: the same.
select
    md5(
        string_agg(
            concat_ws(
                ' ',
                sessions.session_number,
                extract(epoch from sessions.session_date)::bigint,
                extract(epoch from sessions.opens_at)::bigint,
                extract(epoch from sessions.closes_at)::bigint
            ),
            e'\n' order by sessions.session_number
        )
    ) as fingerprint
from risk.sessions;
