-- Lets daily_pnl name several deliveries by their fingerprint, see booked_deliveries: it is compared, never followed.
-- Grain: -. Reads: -. Writes: daily_pnl. Binds: -. Money: -. Rerun: applied once.
alter table daily_pnl drop constraint daily_pnl_delivery_id_fkey;
