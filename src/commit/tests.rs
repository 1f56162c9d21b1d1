//! The writer over a disk that fails.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use storage::commands::{BeginRun, Command, CreateTenant};
use storage::ids::{ActorId, TenantId};
use storage::model::RunBegin;
use storage::{Backend, EngineFile, EngineOptions, Options, Store};

use super::start;

/// A file in memory that fails once: what was written before a failed sync is there all the same.
#[derive(Clone, Debug, Default)]
struct File {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// So many writes and syncs from now.
    fails_in: Arc<AtomicI64>,
}

const NEVER: i64 = -1;

impl File {
    fn may_fail(&self) -> io::Result<()> {
        match self.fails_in.fetch_sub(1, Ordering::Relaxed) {
            0 => Err(io::ErrorKind::Other.into()),
            _ => Ok(()),
        }
    }
}

impl Backend for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().expect("no panic").len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.lock().expect("no panic");
        let found = bytes.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes.lock().expect("no panic").resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.may_fail()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.may_fail()?;
        let mut bytes = self.bytes.lock().expect("no panic");
        bytes[offset as usize..offset as usize + data.len()].copy_from_slice(data);
        Ok(())
    }
}

/// A commit that failed may be there or not. It is for who sent it to look; if the node tried again itself, what was
/// there would be done twice.
#[test]
fn what_failed_is_not_carried_out_again() {
    let (mut failed, mut landed) = (0, 0);
    for call in 0..6 {
        let fails_in = Arc::new(AtomicI64::new(NEVER));
        let store = Arc::new(open(&fails_in));
        let (handle, writer) = start(Arc::clone(&store)).expect("a thread");
        let made = CreateTenant { name: "default".to_owned(), actor: ActorId::NODE };
        handle.submit_blocking(vec![Command::CreateTenant(made)]).expect("made");
        fails_in.store(call, Ordering::Relaxed);
        let begin = RunBegin { process: "import".to_owned(), ..RunBegin::default() };
        let run = BeginRun { tenant: TenantId(1), actor: ActorId::NODE, begin };
        let answered = handle.submit_blocking(vec![Command::BeginRun(run)]);
        fails_in.store(NEVER, Ordering::Relaxed);
        drop(handle);
        writer.join().expect("no panic");
        let runs = store.view().expect("open again").runs(TenantId(1)).expect("read").len();
        match answered {
            Ok(_) => assert_eq!(runs, 1, "call {call}"),
            Err(_) => assert!(runs <= 1, "call {call}: it was done {runs} times"),
        }
        failed += u32::from(answered.is_err());
        landed += u32::from(answered.is_err() && runs == 1);
    }
    assert!(
        failed > landed && landed > 0,
        "{failed} failed and {landed} of them are there: the test shows nothing"
    );
}

/// Whoever finds nobody at it writes; what came meanwhile is left to the next, and nobody is forgotten.
#[test]
fn requests_and_threads_that_write_at_once_are_all_answered() {
    const WRITERS: usize = 16;
    const WRITES: usize = 50;
    let store = Arc::new(open(&Arc::new(AtomicI64::new(NEVER))));
    let (handle, writer) = start(Arc::clone(&store)).expect("a thread");
    let made = |name: String| vec![Command::CreateTenant(CreateTenant { name, actor: ActorId::NODE })];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let requests: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let handle = handle.clone();
            runtime.spawn(async move {
                for write in 0..WRITES {
                    handle.submit(made(format!("r-{writer}-{write}"))).await.expect("written");
                }
            })
        })
        .collect();
    for write in 0..WRITES {
        handle.submit_blocking(made(format!("t-{write}"))).expect("written");
    }
    runtime.block_on(async {
        for request in requests {
            request.await.expect("no panic");
        }
    });
    drop((runtime, handle));
    writer.join().expect("no panic");
    let tenants = store.view().expect("open").tenants().expect("read").len();
    assert_eq!(tenants, (WRITERS + 1) * WRITES);
}

fn open(fails_in: &Arc<AtomicI64>) -> Store {
    let file = || File { fails_in: Arc::clone(fails_in), ..File::default() };
    let files = [file(), file()];
    let make = move |which: EngineFile| -> Box<dyn Backend> { Box::new(files[which as usize].clone()) };
    let engine = EngineOptions::Backend { make: Box::new(make), checked: true, journal_bytes_max: 1 << 20 };
    let options = Options { engine, space: None, new_node_id: "00112233aabbccdd".to_owned() };
    Store::open(options).expect("opens")
}
