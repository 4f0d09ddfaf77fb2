-- Copies the present books into the temporary tables, in the place of what they hold.
-- Grain: as the tables. Reads: daily_pnl, positions, last_fills. Writes: their temporary copies. Binds: -.
-- Money: as in the tables. Rerun: copies the same again.
-- Each copy is made like its table: every column, in the same order.
truncate private.daily_pnl, private.positions, private.last_fills;

insert into private.daily_pnl
select booked.* -- noqa: AM04
from derived.daily_pnl as booked;

insert into private.positions
select held.* -- noqa: AM04
from derived.positions as held;

insert into private.last_fills
select traded.* -- noqa: AM04
from derived.last_fills as traded;

analyze private.daily_pnl;
analyze private.positions;
analyze private.last_fills;
