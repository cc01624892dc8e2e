-- A load for wrk: wrk --script load.lua URL -- METHOD PATH BODYFILE FROM ROUND
--
-- PATH may hold {n}: a number that no two threads share. It begins at FROM and goes round after ROUND numbers, or
-- never if ROUND is 0.
-- At the end one line of JSON says what came of it.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function init(args)
  local method, path = args[1], args[2]
  local from, round = tonumber(args[4]), tonumber(args[5])
  local body = args[3] ~= "-" and read(args[3]) or nil
  if body then wrk.headers["Content-Type"] = "application/json" end
  local make = function(n)
    return wrk.format(method, (path:gsub("{n}", string.format("%d", n))), nil, body)
  end
  -- wrk gives each thread its own script; there are at most two
  local at = from + number
  if not path:find("{n}", 1, true) then
    local only = make(0)
    request = function() return only end
  elseif round > 0 then
    local all, next = {}, 0
    for n = 0, round - 1 do all[n] = make(from + n) end
    request = function()
      next = (next + 1) % round
      return all[next]
    end
  else
    request = function()
      at = at + 2
      return make(at - 2)
    end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    'DONE {"requests":%d,"micros":%d,"errors":%d,"p50":%d,"p99":%d,"bytes":%d}\n',
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99), summary.bytes))
end
