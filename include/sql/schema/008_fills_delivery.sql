-- Finds the executions of a delivery.
-- Grain: -. Reads: fills. Writes: -. Binds: -. Money: -. Rerun: applied once.
create index fills_delivery on fills (delivery_id);
