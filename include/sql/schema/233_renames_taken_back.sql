-- Lets an account state that it was formerly itself: that takes a wrong rename back.
-- Grain: one row per statement. Reads: -. Writes: accounts. Binds: -. Money: -. Rerun: applied once.
alter table accounts
drop constraint accounts_check;
